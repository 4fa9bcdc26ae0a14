"""`python -m fer_rs` is the command `fer-rs`."""

import sys

from .cli import main

sys.exit(main())
