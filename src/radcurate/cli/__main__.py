"""`python -m radcurate.cli` is `radcurate`."""

from radcurate.cli import main

main()
