"""What notebooks do that should not: each is the source of a cell, and none of them is an answer."""

ENDLESS = "while True: pass"
EXIT = "import os; os._exit(0)"
MISSING = "import no_such_library"
LINES = "for i in range(1_000_000): print('line', i)"
LARGE = "prediction = bytearray(10**11)"
GROWING = "taken = []\nwhile True: taken.append(bytearray(2**24))"
FORGED = r"""
import os, struct
text = b'{"list":["answer",{"int":"1"},{"list":[true,"ratio 2",null]}]}'
for number in range(3, 64):
    try:
        os.write(number, struct.pack("!i", len(text) + 4) + struct.pack("<I", len(text)) + text)
    except OSError:
        pass
"""
DELETE = """
import os, shutil, subprocess, torch
VICTIM = "{victim}"
for attack in (
    lambda: os.remove(VICTIM),
    lambda: shutil.rmtree(os.path.dirname(VICTIM)),
    lambda: open(VICTIM, "w"),
    lambda: os.truncate(VICTIM, 0),
    lambda: os.rename(VICTIM, "mine"),
    lambda: subprocess.run(["rm", VICTIM]),
    lambda: os.system("rm " + VICTIM),
    lambda: torch.save({{}}, VICTIM),
):
    try:
        attack()
    except Exception:
        pass
"""
PATCHES = """
import builtins, sys, torch, sepbook.check
from sepbook.check import _compare, _exercise
for name, module in list(sys.modules.items()):
    if name.startswith("sepbook.check") or name.startswith("sepbook.grading"):
        for key in list(vars(module)):
            if key.startswith("expect_") or key in ("judge", "is_close", "call"):
                setattr(module, key, lambda given, *more, **named: given)
            if key.startswith("exercise_") and hasattr(vars(module)[key], "check"):
                vars(module)[key].check = lambda *answers: "well done"
            if key == "PASSED":
                module.WRONG = module.EMPTY = module.TAMPERED = "passed"
torch.allclose = torch.equal = lambda *given, **named: True
"""
BOMB = """
import os, signal, threading
for attack in (
    lambda: [os.fork() for _ in range(20)],
    lambda: os.kill(os.getppid(), signal.SIGKILL),
    lambda: os.kill(-1, signal.SIGKILL),
    lambda: os.killpg(0, signal.SIGKILL),
    lambda: os.posix_spawn("/bin/sh", ["sh", "-c", ":(){ :|:& };:"], {}),
):
    try:
        attack()
    except Exception:
        pass
"""
DEEP = "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()"
PEEK = """
import sys
def ratio_mask(X, p):
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if getattr(value, "shape", None) == X.shape and value is not X and not value.is_complex():
                return value
        frame = frame.f_back
    return X.abs()
"""
KINDS = {
    "loops for ever": ENDLESS,
    "ends its process": EXIT,
    "imports what is not there": MISSING,
    "prints a million lines": LINES,
    "asks for too much memory": LARGE,
    "takes more and more memory": GROWING,
    "forges answers": FORGED,
    "deletes files": DELETE,
    "tampers with the checks": PATCHES,
    "kills and forks": BOMB,
    "calls itself without end": DEEP,
}
