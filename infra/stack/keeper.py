"""The supervisor's process: supervisord, adopting what its programs leave behind.

As a child subreaper it becomes the parent of every orphan below it, so `down` finds grandchildren too.
"""

import ctypes

from supervisor import supervisord

PR_SET_CHILD_SUBREAPER = 36

if __name__ == "__main__":
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    supervisord.main()
