"""The alert job and the leak monitor by one client, for test_watchers.py: --policy POLICY --deployment DEPLOYMENT --rules RULES."""

import sys

from jobs import leak_monitor, watch

program, *given = sys.argv
place = given.index("--rules")
rules, others = given[place : place + 2], given[:place] + given[place + 2 :]
sys.argv = [program, *rules, *others[others.index("--deployment") :]]
watch.main()
sys.argv = [program, *others]
leak_monitor.main()
