"""The world: a simulated company that sells online, for the demo and as ground truth in tests.

One causal process runs underneath. Advertising moves visits, visits move orders, and every customer has a hidden buying
rate and a hidden lifetime. What a company could observe goes to the shop's Postgres database and to the landing bucket;
what it could not observe (the truth) is written apart and never ingested. docs/world.md tells the mechanisms.
"""
