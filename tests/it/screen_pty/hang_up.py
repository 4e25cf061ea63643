"""Close the terminal of `PROGRAM attach run` once its screen is still, without a signal for the program.

The shell that leads the session gets the signal and ignores it. Prints whether the program ends.
"""

import os
import pty
import select
import sys
import time

program = sys.argv[1]
shell, terminal = pty.fork()
if shell == 0:
    os.environ["TERM"] = "xterm-256color"
    command = "trap '' HUP; \"$0\" attach run; echo over > over"
    os.execvp("sh", ["sh", "-c", command, program])
seen = b""
# Without a change nothing is written, so that the program could notice that the terminal is gone.
while b"COMPLETED" not in seen or select.select([terminal], [], [], 4)[0]:
    seen += os.read(terminal, 65536)
os.close(terminal)
begin = time.monotonic()
while time.monotonic() - begin < 60 and not os.path.exists("over"):
    time.sleep(0.05)
print("ended" if os.path.exists("over") else "still running")
