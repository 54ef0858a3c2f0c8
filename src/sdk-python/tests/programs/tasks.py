"""A worker that writes the key of each task it begins to EFFECTS; with HANGS it never ends one."""

import os
import time

from omium import Worker

worker = Worker(concurrency=1, poll_wait_ms=500)


@worker.task(os.environ["QUEUE"])
def double(n, idempotency_key):
    with open(os.environ["EFFECTS"], "a", encoding="utf-8") as file:
        file.write(idempotency_key + "\n")
    while os.environ.get("HANGS"):
        time.sleep(1)
    return {"doubled": n * 2}


if __name__ == "__main__":
    worker.run()
