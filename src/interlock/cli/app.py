"""The ``interlock`` command: its groups, its exit codes, its one way of saying what went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import cyclopts

from interlock.cli import (
    audit,
    build,
    bundle,
    calibrate,
    compare,
    convert,
    data,
    erase,
    evaluate,
    experiment,
    gate,
    keys,
    ledger,
    registry,
    route,
    serve,
    sweep,
    workspace,
)
from interlock.core.errors import InterlockError

EXIT_DONE, EXIT_HOLD, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

app = cyclopts.App(
    name="interlock",
    help="Train, prove, package, serve and watch intent routers that fail to a person.",
    help_epilogue="Exit codes: 0 done or pass, 1 a verdict holds or a verification refuses, 2 bad usage or input.",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # run() says what became of the work
)
for group in (
    workspace,
    data,
    convert,
    audit,
    build,
    calibrate,
    evaluate,
    compare,
    experiment,
    gate,
    keys,
    ledger,
    erase,
    registry,
    bundle,
    route,
    serve,
    sweep,
):
    group.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        found = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
        return found if isinstance(found, int) else EXIT_DONE
    except cyclopts.CycloptsError as error:
        return _say(f"{error}\nRun: interlock {' '.join(_command(arguments))} --help", EXIT_USAGE)
    except InterlockError as error:
        return _say(str(error), error.exit_code)
    except BrokenPipeError:  # the reader went away, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except OSError as error:
        return _say(f"the system refused: {error}", EXIT_USAGE)
    except KeyboardInterrupt:
        return _say(
            "interrupted: nothing was packed; the same command goes on from the last checkpoint", EXIT_INTERRUPTED
        )


def _command(arguments: Sequence[str]) -> list[str]:
    return [argument for argument in arguments[:1] if not argument.startswith("-")]


def _say(text: str, code: int) -> int:
    print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    return code
