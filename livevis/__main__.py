"""`python -m livevis`."""

import sys

from livevis.cli import main

if __name__ == "__main__":
    sys.exit(main())
