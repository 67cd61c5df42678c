"""Run the command line: ``python -m medcore COMMAND``."""

from medcore.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
