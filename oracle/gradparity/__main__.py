"""`python -m gradparity` is `gradparity`."""

from gradparity.cli import main

if __name__ == "__main__":
    main(prog_name="gradparity")
