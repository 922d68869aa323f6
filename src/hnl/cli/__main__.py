from hnl.cli import main

main()
