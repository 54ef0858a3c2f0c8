"""Six steps that may be killed at any moment; each step that runs writes a line to EFFECTS, with the key when it is a transaction."""

import os
import time

from omium import Checkpoint, Transaction, agent


def effect(line: str) -> None:
    descriptor = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, (line + "\n").encode())
    os.close(descriptor)


@agent(lease_seconds=5)
def flow():
    print("running", flush=True)
    total = 0
    for number in range(3):
        with Checkpoint("think"):
            effect(f"begin think {number}")
            time.sleep(0.004)
            thought = number * 10
            effect(f"end think {number}")
        with Transaction("act", effect="idempotent") as transaction:
            effect(f"act {number} {transaction.idempotency_key}")
            time.sleep(0.004)
            done = thought + 1
        total += done
    return total


if __name__ == "__main__":
    print(flow())
