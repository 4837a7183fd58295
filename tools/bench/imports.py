"""How long does `import sepbook` take, beside an empty Python?"""

from statistics import median

from tools.bench._measure import child

PAIRS = 9


def run() -> dict:
    pairs = [(child("import sepbook", 1), child("pass", 1)) for _ in range(PAIRS)]
    ours, empty = (median(pair[i]["wall_seconds"] for pair in pairs) for i in (0, 1))
    cpu = median(a["cpu_seconds"] - b["cpu_seconds"] for a, b in pairs)
    return {
        "import_seconds": ours - empty,
        "import_cpu_seconds": cpu,
        "python_seconds": empty,
        "pairs": PAIRS,
        "limit": 0.3,
    }
