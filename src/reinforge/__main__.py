"""`python -m reinforge`: the same as the command `reinforge`."""

import sys

from reinforge.cli import main

if __name__ == "__main__":
    sys.exit(main())
