"""Run as a script: give up root, ask the kernel to be stopped with our parent, become the real program.

``python -I -S leash.py SIGNAL PARENT UID GID program arguments...`` (UID -1: stay who we are).
Doing this in a process of its own is safe with threads, which ``preexec_fn`` is not, and it asks only after
the change of user, because the kernel forgets the request (PR_SET_PDEATHSIG) when credentials change.
"""

import os
import sys

try:
    import ctypes
except ImportError:  # a Python built without libffi
    ctypes = None  # type: ignore[assignment]

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Replace this process by the program given, on a leash to process PARENT."""
    signal_number, parent, uid, gid = (int(text) for text in arguments[:4])
    program = arguments[4:]
    library = ctypes.CDLL(None) if ctypes is not None else None
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if hasattr(library, "prctl"):  # elsewhere than on Linux, what is left over is stopped at the next start
        library.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
    try:
        os.execv(program[0], program)  # noqa: S606
    except OSError as problem:
        sys.stderr.write(f"{program[0]}: {problem.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
