"""What each split may use: drum kits, General MIDI programs, singers. No split borrows from the test split.

Many presets of FluidR3 share recordings ("Bright Grand" is the same piano as "Grand"). The lists are chosen so that
test songs share no recording of bass, other, kick or snare with training; ``build.refuse_leaks`` makes sure.
Kits of recorded strokes (``samples``) belong to one split each.
What remains shared between kits, because FluidR3 has only one of each: hi-hats, cymbals and most toms.
"""

from tools.corpus import samples

# program on bank 128, or kit of ``samples`` (from 201 on) -> name. Kicks and snares of test kits are in no other list.
KITS = {
    "train": {
        0: "Standard", 1: "Standard 1", 5: "Standard 5", 6: "Standard 6", 7: "Standard 7", 10: "Room 2",
        16: "Power", 18: "Power 2", 24: "Electronic",
    },
    "valid": {2: "Standard 2", 15: "Room 7", 19: "Power 3", 33: "Jazz 1"},
    "test": {4: "Standard 4", 11: "Room 3", 25: "TR-808", 32: "Jazz", 201: "Recorded", 40: "Brush"},
}  # fmt: skip
for split, kits in samples.SPLITS.items():
    KITS[split] |= {kit: samples.KITS[kit]["name"] for kit in kits}

# (bank, program)
BASSES = {
    "train": [(0, 34), (0, 38), (0, 32), (0, 36), (0, 39), (8, 38)],
    "valid": [(8, 39), (0, 43)],
    "test": [(0, 35), (0, 33)],
}

# role -> (bank, program). comp: chords in rhythm; arp: broken chords; pad: long chords; counter: a second melody.
# Training has a relative of every test instrument: viola and cello for the violin, tenor sax for the alto sax ...
TRAIN_ROLES = {
    "comp": "0/0 0/25 0/4 0/27 0/24 0/7 0/16 0/1 8/25 0/29 0/3 0/17 0/104",
    "arp": "0/46 0/24 0/11 0/12 0/4 0/45 0/27 0/114 0/107 0/105 0/14",
    "pad": "0/48 0/52 0/89 0/49 0/50 0/18 0/61 0/88 0/62 0/20 0/21",
    "counter": "0/73 0/11 0/66 0/46 0/56 0/12 0/71 0/105 0/42 0/107 0/64 0/41 0/70 0/60",
}
VALID_ROLES = {
    "comp": "0/100 0/106 8/24 8/28",
    "arp": "0/9 0/10 8/107",
    "pad": "0/51 0/94 8/61",
    "counter": "0/59 0/69 0/74 0/67",
}
TEST_ROLES = {
    "comp": "0/5 0/26 0/2 0/15 0/6 0/2",
    "arp": "0/8 0/13 0/108 0/26 0/5",
    "pad": "0/19 0/53 0/57 0/40",
    "counter": "0/13 0/108 0/65 0/68 0/40",
}


def read(roles):
    """{role: [(bank, program), ...]} from {role: "bank/program bank/program ..."}."""
    return {role: [tuple(int(x) for x in pair.split("/")) for pair in row.split()] for role, row in roles.items()}


ROLES = {"train": read(TRAIN_ROLES), "valid": read(VALID_ROLES), "test": read(TEST_ROLES)}

LOUD_AND_LONG = {(0, 30), (0, 29), (0, 61), (0, 62), (0, 63), (0, 81)}  # presets that mask everything: played softer
DISTORTED = {(0, 29), (0, 30)}  # two notes at a time are enough
STRUMMED = {(0, 24), (0, 25), (8, 25), (0, 27), (0, 26), (0, 28), (0, 29), (0, 30), (8, 24), (8, 28), (0, 105)}

# identity -> (speaker, formant scale, tilt in dB per octave, lowest and highest MIDI pitch, vibrato cents, breath)
SINGERS = {
    "train": {
        "ada": ("slt", 1.00, 0.0, 58, 75, 55, 0.00),
        "bruno": ("awb", 1.00, -0.5, 50, 67, 50, 0.00),
        "cleo": ("sky", 1.00, 0.4, 55, 72, 60, 0.04),
        "dmitri": ("liam", 0.94, -0.8, 41, 58, 45, 0.00),
        "elin": ("river", 1.00, 0.0, 57, 74, 60, 0.06),
        "farid": ("eric", 1.00, 0.0, 47, 64, 50, 0.00),
        "greta": ("slt", 0.94, -0.5, 56, 73, 45, 0.10),
        "hugo": ("kal16", 1.00, 0.5, 45, 62, 55, 0.00),
        "ines": ("river", 1.10, 0.8, 61, 78, 65, 0.04),
        "jonas": ("awb", 1.06, 1.0, 53, 70, 65, 0.00),
        "kaya": ("sky", 1.12, -0.6, 60, 77, 50, 0.06),
        "luis": ("kal16", 0.92, -0.8, 41, 58, 50, 0.02),
        "mona": ("slt", 1.12, -1.0, 60, 77, 70, 0.12),
        "nils": ("liam", 1.04, 0.6, 46, 63, 60, 0.03),
        "olga": ("eric", 1.16, -0.4, 55, 72, 45, 0.08),
    },
    "valid": {
        "pavel": ("ked", 1.00, 0.3, 42, 59, 50, 0.02),
        "quynh": ("emma", 1.00, 0.0, 57, 74, 60, 0.02),
        "rosa": ("emma", 1.10, -0.6, 61, 78, 50, 0.05),
        "sven": ("george", 1.00, 0.5, 48, 65, 50, 0.00),
    },
    "test": {
        "tove": ("bella", 1.00, 0.0, 58, 75, 60, 0.03),
        "umar": ("rms", 1.00, 0.0, 48, 65, 60, 0.00),
        "vera": ("isabella", 1.00, 0.0, 57, 74, 50, 0.04),
        "wim": ("onyx", 1.00, 0.0, 40, 57, 50, 0.00),
        "xenia": ("isabella", 1.08, -0.3, 60, 77, 70, 0.04),
        "yusuf": ("rms", 1.06, 0.6, 52, 69, 65, 0.00),
    },
}  # fmt: skip
