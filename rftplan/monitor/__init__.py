"""What can be said of a job that trains, from what its service told: figures, time, money, trouble. Pure.

Asks nobody and knows no clock: what was heard and what time it is are handed in.
"""

from __future__ import annotations

from rftplan.monitor.facts import Facts, Heard, facts_of
from rftplan.monitor.news import News, news_of

__all__ = ["Facts", "Heard", "News", "facts_of", "news_of"]
