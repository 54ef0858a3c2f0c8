"""The payment of S26; dies where DIE_AFTER says, and counts what it does in the file EFFECTS."""

import asyncio
import os
import signal

from omium import Checkpoint, Transaction, agent


def effect(name: str) -> None:
    with open(os.environ["EFFECTS"], "a", encoding="utf-8") as file:
        file.write(name + "\n")


def die_after(name: str) -> None:
    if os.environ.get("DIE_AFTER") == name:
        os.kill(os.getpid(), signal.SIGKILL)


@agent
async def payment_processor():
    with Checkpoint("payment_initiated"):
        effect("initiated")
        payment = {"amount": 12, "of": ("ada", 1)}
    die_after("payment_initiated")
    with Transaction("payment_committed"):
        effect("committed")
        receipt = payment["amount"] * 2
    die_after("payment_committed")
    with Checkpoint("letter"):
        effect("letter")
        text = f"{receipt} {payment['of'][0]}"
    return text


if __name__ == "__main__":
    print(asyncio.run(payment_processor()))
