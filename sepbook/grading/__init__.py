"""Grade a class's notebooks, whatever they do: `sepbook grade FOLDER`.

A notebook's code runs in a process of its own (`student`), with little time and memory, no network, and nowhere to
write (`guard`, `kernel`). The checks are in another one (`marker`), which calls the answers over a pipe as plain values
(`link`, `codec`, `shipping`) and asks each exercise with hidden sets of cases. A third (`supervise`) gives both their
time. What was found becomes tables and pages (`report`).
"""

from sepbook.grading.guard import Limits
from sepbook.grading.report import write
from sepbook.grading.run import Grades, grade

__all__ = ["Grades", "Limits", "grade", "write"]
