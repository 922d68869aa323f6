"""Makes faults happen: with this folder in PYTHONPATH, every Python process runs it before anything else."""

import os

import faults_at_open

if fault := os.environ.get(faults_at_open.VARIABLE):
    faults_at_open.install(fault)
