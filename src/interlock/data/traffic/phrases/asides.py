"""The second thing asked in one breath, kept short, and the words that vary from person to person. Data only."""

SECONDS = {
    "product_discovery": """
        got anything else {by them|from <publisher>|like <T2>}?
        {any|got any} <genre2> {in stock|on the shelf|under <money>} {too|as well|}?
        {show me|can I see} {the|some} <merches> {too|as well|}
        what else {have you got|do you have} {about|with} <theme>?
        do you carry <editions>?
    """,
    "recommendation": """
        what would you {read|get|pick} after {that|it}?
        {any|got any} {recs|recommendations|suggestions} {after that|for <who>|for something <trait>}?
        is {it|<T2>} {good|worth it} for <person_type>?
        {what should I|what do I} read next?
        which one would you {start with|pick}?
        would <who> {like|enjoy} {it|<T2>}?
    """,
    "product_question": """
        {is it|is <T2>} {finished|complete|hardcover|in English}{| yet}?
        how many {volumes|books} are there{| so far}?
        {does it|does the <edition>} {come with|have} <feature>?
        is <vol> {in stock|out} yet?
        when does the next {one|volume} come out?
        who drew {it|<T2>}?
    """,
    "faq": """
        do you ship to <country>?
        {how long|how much} is {shipping|delivery}{| usually}?
        {do you|can I} {take|pay with} <pay>?
        {what's|what is} your {return|exchange} policy?
        do you {gift wrap|sell gift cards|have a store in <city>}?
        how do {preorders|reward points} work?
    """,
    "order_tracking": """
        where's my {last|other} order?
        has {<item2>|order <ono>|my other order} shipped yet?
        when will {<item2>|my preorder|the rest} {arrive|get here}?
        any news on {order <ono>|<item2>|my preorder}?
        <item2> still isn't here
    """,
    "return_request": """
        {can I|I'd like to|I want to} {return|exchange|send back} {it|<item2>}
        I {need|want} {a refund|my money back} for {<item2>|the other one}
        {<item2>|the other one} came damaged
        {can you|please} cancel {order <ono>|the other one|<item2>}
        where do I send {it|the return}?
    """,
    "promotion": """
        {is it|is <T2>|are they} on sale?
        {any|got any} {deals|discounts|codes} {right now|on that|for members|}?
        does {code |}<code> work {on it|on that|still}?
        when does the {next |}<sale> {start|end}?
        is it cheaper {as a set|with a code|if I buy two}?
    """,
    "checkout_help": """
        {my card|<my_pay>} got declined{| again| twice}
        the {checkout|cart|payment page} {won't load|keeps crashing|is stuck}
        I can't {add it to my cart|check out|get past <step>}
        how do I {apply|enter} {my code|a gift card} at checkout?
        it says <error> when I pay
    """,
    "escalation": """
        {I want|get me|let me talk to} {a person|a human|a manager|a real agent}
        I've {asked|written} <times> already
        {this is|that's} {unacceptable|the third time|not okay}
        I want to {complain|file a complaint}
        who {is in charge|can I call}?
    """,
    "chitchat": """
        {you're|the shop is} {the best|awesome|great}
        thanks for {the help|last time|everything}
        {<T2>|it} was <opinion>
        hope you have a {nice|great} <weekday>
    """,
}

# plain words and what other people say instead; each customer leans on their own choices
IDIOLECT: dict[str, tuple[str, ...]] = {
    "looking for": ("hunting for", "on the lookout for", "in search of", "after", "trying to track down"),
    "trying to find": ("trying to track down", "hunting for", "trying to get hold of", "trying to locate"),
    "do you have any": ("do you stock any", "have you got any", "is it possible to get any", "are there any"),
    "do you have anything": (
        "have you got anything",
        "is there anything",
        "do you stock anything",
        "is there something",
    ),
    "do you carry": ("do you stock", "do you keep", "do you sell", "can one buy from you"),
    "show me": ("let me look at", "pull up", "bring up", "give me a list of", "find me", "I want to see"),
    "in stock": ("available", "on hand", "ready to ship"),
    "recommend": ("suggest", "advise", "propose"),
    "recommendations": ("suggestions", "tips", "pointers", "ideas", "picks"),
    "suggest me": ("give me", "name me"),
    "recommend me": ("give me", "name me", "find me"),
    "trying to find out": ("trying to work out", "hoping to learn"),
    "what should I": ("what do I", "what could I", "what ought I to", "what would you have me"),
    "liked": ("enjoyed", "was into", "got a kick out of", "had fun with", "appreciated"),
    "loved": ("adored", "was crazy about", "couldn't put down", "got hooked on", "devoured"),
    "comes out": ("drops", "is released", "hits the shelves", "launches"),
    "difference between": ("distinction between", "deal with", "gap between"),
    "come with": ("include", "contain", "ship with"),
    "arrive": ("turn up", "get here", "show up", "land", "make it here"),
    "arrived": ("turned up", "showed up", "landed", "got here"),
    "get here": ("turn up", "show up", "land at my door", "reach me"),
    "my order": ("my purchase", "my shipment"),
    "my package": ("my parcel", "my box", "my delivery", "my shipment"),
    "to return": ("to send back", "to bring back", "to give back"),
    "can I return": ("can I send back", "can I bring back", "will you take back"),
    "a refund": ("my money back", "a reimbursement"),
    "exchange": ("swap",),
    "cancel my": ("call off my", "scrap my", "stop my"),
    "came damaged": ("came banged up", "came in bad shape", "got here wrecked"),
    "arrived damaged": ("arrived banged up", "arrived in bad shape", "got here beat up"),
    "on sale": ("discounted", "marked down", "reduced"),
    "deals": ("bargains", "offers", "price cuts", "promos"),
    "a discount": ("a reduction", "a price cut", "something off"),
    "declined": ("rejected", "refused", "bounced", "turned down"),
    "my cart": ("my basket", "my bag", "my trolley"),
    "at checkout": ("when paying", "on the pay screen", "at the end"),
    "ship to": ("send to", "deliver to", "post things to"),
    "is shipping": ("is postage", "is delivery"),
    "a human": ("a staff member", "somebody real", "an actual employee"),
    "a real person": ("an actual employee", "a staff member", "someone with a pulse"),
    "a manager": ("a team lead", "the boss", "whoever is in charge"),
    "unacceptable": ("outrageous", "beyond a joke", "ridiculous", "shameful"),
    "nobody answers": ("all I get is silence", "I get ignored", "it's like talking to a wall"),
    "can you": ("could you", "are you able to", "would you"),
    "how do I": ("how can I", "what's the way to", "how does one"),
    "can I": ("could I", "am I able to", "may I"),
    "I want to": ("I'd love to", "I wish to", "I'd like to", "I'm looking to"),
    "I need a": ("I could use a", "I require a", "I want a"),
    "I ordered": ("I bought", "I picked up", "I purchased", "I paid for"),
    "to buy": ("to get", "to pick up", "to purchase", "to grab"),
    "any manga": ("any comics", "any books", "any titles"),
    "something like": ("something close to", "something in the spirit of", "something that feels like"),
    "anything like": ("anything close to", "anything that resembles", "anything in the spirit of"),
    "similar to": ("close to", "along the lines of", "reminiscent of", "comparable to"),
    "appropriate": ("fine", "alright", "acceptable", "a good idea"),
    "still nothing": ("zip", "no sign of it", "it never came"),
    "any news on": ("anything new on", "an update about", "what's happening with"),
    "how long": ("how much time", "how long"),
    "quick question": ("tiny question", "one thing", "small question"),
}
