"""Exceptions that a user can meet. Each says what is wrong, shows the value and the file, and fixes the exit status."""


class HNLError(Exception):
    """A run failed although its input was sound. Exit status 1."""

    exit_status = 1


class InputError(HNLError):
    """The user's input cannot be used as it is: a file, an option or a catalogue entry. Exit status 2."""

    exit_status = 2
