"""The licences of what the corpus is made from, and of the corpus itself."""

from pathlib import Path

TEXT = """\
# What this corpus is made from

The songs, melodies, words, sentences and recordings in this folder are our own work. They are published under
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/), like the text of the book. They were rendered with the
following parts, whose licences allow it.

## FluidR3 GM (instruments and drums)

Copyright (c) 2000-2002, 2008 Frank Wen <getfrank@gmail.com>
Copyright (c) 2008 Toby Smithe (packaging)

Released under the MIT licence:

> Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
> documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
> rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
> permit persons to whom the Software is furnished to do so, subject to the following conditions:
>
> The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
> Software.
>
> THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
> WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
> COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
> OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

The sound font was played by FluidSynth (LGPL 2.1 or later). A licence of a player does not extend to what it plays.

## flite and its voices (speech behind the singers and talkers)

Voices slt, awb, rms and kal16 of flite, Carnegie Mellon University.
Copyright (c) 1999-2017 Language Technologies Institute, Carnegie Mellon University. All rights reserved.

> Permission is hereby granted, free of charge, to use and distribute this software and its documentation without
> restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense,
> and/or sell copies of this work, and to permit persons to whom this work is furnished to do so, subject to the
> following conditions:
> 1. The code must retain the above copyright notice, this list of conditions and the following disclaimer.
> 2. Any modifications must be clearly marked as such.
> 3. Original authors' names are not deleted.
> 4. The authors' names are not used to endorse or promote products derived from this software without specific prior
>    written permission.
>
> CARNEGIE MELLON UNIVERSITY AND THE CONTRIBUTORS TO THIS WORK DISCLAIM ALL WARRANTIES WITH REGARD TO THIS SOFTWARE,
> INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS, IN NO EVENT SHALL CARNEGIE MELLON UNIVERSITY NOR THE
> CONTRIBUTORS BE LIABLE FOR ANY SPECIAL, INDIRECT OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM
> LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR
> IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.

What was changed: pitch, timing, spectral envelope and breathiness. These recordings are not the voices of the speakers
whose recordings the flite voices were built from, and must not be presented as such.

## WORLD (the vocoder)

Copyright (c) 2010 M. Morise; modified BSD licence. The Python wrapper pyworld: MIT licence, (c) 2015 Jeremy Hsu.
No part of them is contained in the recordings.
"""


def write_licenses(root):
    """Write LICENSES.md beside the corpus."""
    (Path(root) / "LICENSES.md").write_text(TEXT, encoding="utf-8")
