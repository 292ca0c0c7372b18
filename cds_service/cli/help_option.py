"""`-h` beside `--help`, for a command by itself as for one of the group.

click keeps the help option of a command from its first use: one used by itself first would never learn `-h` from the group.
"""

from __future__ import annotations

HELP = {"help_option_names": ["-h", "--help"]}
