"""The digest decodes of an event's data what the fold asks for: the list of it is whole."""

from __future__ import annotations

import re
from pathlib import Path

from dashboard import tracing
from dashboard.tracing.types import Said

ASKED = re.compile(r"""data(?:\.get\(|\[|, )"(\w+)\"""")


def test_every_part_of_data_that_the_fold_reads_is_decoded_for_it():
    rooms = Path(tracing.__file__).parent.glob("*.py")
    asked = {name for room in rooms for name in ASKED.findall(room.read_text())}
    assert {"talk_s", "paid", "direction"} <= asked
    assert asked <= set(Said.__annotations__)
