"""What the company's other systems hold of the same people, products and days: CRM, mail, service, surveys, shops, the market outside.

Each module takes a simulated day and gives objects for landing; what moves them (types of people, sentiment, lifts) is hidden and
written to the truth. Random numbers are drawn from streams of their own: nothing here changes what the shop or the web show.
"""
