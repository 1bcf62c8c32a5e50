"""The local service: the fine-tuning API on one's own machine. An island; it imports `rftplan.grading` alone.

So it cannot share the client's misunderstandings. Nothing here may import another module of rftplan.
"""
