"""`python -m hydatis.operator` is the `hydatis` command."""

from hydatis.operator.command_line import main

if __name__ == "__main__":
    main()
