"""``python -m interlock``: the command."""

from interlock.cli.app import main

if __name__ == "__main__":
    main()
