{{code}}


# The driver: reads the arguments from standard input, one JSON value a line, calls
# count_mirror_pieces and writes the result as one line of JSON to descriptor 3. What the function
# itself prints stays on standard output and is not judged. Where descriptor 3 is not open, the
# result goes to standard output, too.
def _codementor_driver():
    import json
    import os
    import sys

    arguments = [json.loads(line) for line in sys.stdin.read().splitlines() if line.strip()]
    result = count_mirror_pieces(*arguments)

    line = (json.dumps(result) + "\n").encode()
    try:
        while line:
            line = line[os.write(3, line):]
    except OSError:
        sys.stdout.write(line.decode())


_codementor_driver()
