#!/usr/bin/env bash
# Week 3 from beginning to end, as a teacher does it: prepare, teach, grade. Two invented students hand in.
#     bash tools/classroom/week3.sh FOLDER
# The first hands in all solutions, the second the labs as they were handed out: so you see what grades look like.
set -euo pipefail
folder=$(realpath -m "${1:?usage: bash tools/classroom/week3.sh FOLDER}")
cd "$(dirname "$0")/../.."
python=.venv/bin/python
[ -x "$python" ] || { echo "There is no .venv yet. Run \`make book\` first." >&2; exit 1; }
[ ! -e "$folder/submissions" ] || { echo "$folder holds submissions already. Name another folder." >&2; exit 1; }
export OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 SEPBOOK_PROGRESS=off
outputs=${WEEK3_OUTPUTS:-exercises} # what the key shows of its cells: none, exercises or all

echo "1. Prepare: both editions of the labs of week 3, and the page with the plan of the lecture"
"$python" -m tools.classroom editions --week 3 --outputs "$outputs" --out "$folder"
cp book/classroom/week_03.md "$folder/lecture.md"

echo "2. Teach: the class gets $folder/student, and two students hand in"
mkdir -p "$folder/submissions"
cp -r "$folder/instructor/foundations" "$folder/submissions/Ümit Groß"
cp -r "$folder/student/foundations" "$folder/submissions/Li Na"

echo "3. Grade"
"$python" -m sepbook.cli grade "$folder/submissions" --out "$folder/grades" --seed 3
cat "$folder/grades/students.csv"
