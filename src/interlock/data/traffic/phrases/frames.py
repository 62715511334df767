"""What goes around a request: small shared rules, openers, context clauses, closers and joints. Data only."""

RULES = {
    "do_you": """
        do you
        do you guys
        does the shop
        do you
        do y'all
    """,
    "please": """
        , please
        \u0020please
        , thanks
        , thank you
    """,
    "tell": """
        can you tell me
        could you tell me
        do you know
        I'd like to know
        I'm trying to find out
        any idea
        just wondering
    """,
    "looking": """
        I'm looking for
        looking for
        {I'm |}trying to find
        I want to find
        searching for
        hoping to find
        I need
        I'm after
    """,
    "lead_with": """
        with <lead>
    """,
    "someone_who": """
        someone who
        a friend who
        a guy who
        <who_bare>, who
    """,
    "just_read": """
        just finished <T>
        {I |}finally {finished|caught up with|got through} <T>
        finished {<vol> of <T>|<T>} {last night|yesterday|on the train|in one sitting}
        binged <T> {over the weekend|in two days|in one go}
        I just {read|reread} {<vol> of <T>|all of <T>}
    """,
    "today_if": """
        today if
        in a heartbeat if
        right away if
    """,
    "place_bought_lib": """
        the library
        a friend's place
        a con
        another store
    """,
    "time_ago_noun": """
        last week
        {Monday|last Friday|the weekend|two weeks ago|last month|the 12th|ten days ago}
    """,
}

OPENERS = """
    hi,
    hello,
    hey,
    hey there,
    hi there!
    hello!
    good morning,
    good evening,
    hi team,
    hi MangaAssist,
    hey bot,
    hey again,
    quick question:
    quick one:
    question:
    sorry to bother you,
    sorry if this was asked before,
    ok so
    so
    um
    alright,
    not sure if you can help, but
    maybe a silly question, but
    one more thing,
    excuse me,
    dear team,
    ok
    right,
    hope you're well.
    hello MangaAssist,
    weird question maybe:
    long shot:
    first of all, love the shop.
    back again.
    me again.
    question for you:
"""

# context clauses carry the vocabulary of other intents without asking for anything
CONTEXTS = """
    {I |}just finished <T2>[ and {loved it|it was great}].
    I've been {collecting|reading} <T2> {for years|since {school|last year}|with <who>}.
    it's <who_poss> birthday on <weekday>.
    my last order {came super fast|was perfect|arrived yesterday}, thanks.
    I {ordered|bought} <T2> <vol> from you <time_ago>.
    I {returned|sent back} <item2> {last month|in spring} {and that went fine|no problem}.
    I had {a code|a gift card|a coupon} {last time|from my birthday}.
    I saw {it|you} at <con>.
    <who> {told me about|sent me to|recommended} {this shop|your site|you}.
    I'm {in|from} <country>.
    I'm {new to|just getting into} {manga|collecting|<genre> manga}.
    I've {read|watched} {the anime|a lot of <genre>|everything by <author>}.
    I usually {buy|read} {digital|<editions>|from <place_bought>}.
    I'm {at work|on my phone|on the train}, so {short answer please|sorry for typos}.
    {looked|searched} {on the site|in the app} {already|for a while} {and couldn't find it|but no luck}.
    {my package|the box|<T2> <vol>} {came today|arrived this morning}, {love it|looks great}.
    I {asked|checked} {a person in the store|the FAQ|the app} {but|and} {got no clear answer|it wasn't there}.
    {paid|I paid} with <my_pay> {last time|before} and it worked.
    I {missed|saw} the <sale>.
    {not|I'm not} {in a rush|looking to spend much}.
    <char_of2> is my favorite.
    I {have|own} {<vol> to <vol2>|most|all} of <T2>.
    I'm {planning|building} {a shelf|a birthday box|a reading list} {for <who>|with <genre>}.
    I know {you're busy|it's <con> week|the holidays are crazy}.
"""

CLOSERS = """
    thanks!
    thank you!
    thanks in advance.
    thx
    please and thank you.
    any help is appreciated.
    let me know.
    no rush.
    cheers.
    it's for <who>.
    hope you can help.
    appreciate it.
    I'd need it <by_when>.
    money is no issue.
    my budget is <money>.
    sorry for the long message.
    asking for <who>.
    thanks a lot for the help.
    I'm on <device> by the way.
    have a great <weekday>.
    otherwise I'll just keep <T2>.
    I loved <T2> so much.
    can't wait.
"""

JOINTS = (
    ". also, ",
    ", and ",
    ". oh and ",
    ", also ",
    ". and ",
    ". another thing: ",
    "! one more thing, ",
    ", plus ",
    ". by the way, ",
    ". while I'm here, ",
    ". second question: ",
    ". separately, ",
    "; ",
)

# turns that need the conversation: per intent, then those that fit any intent
FOLLOW_UPS = {
    "product_discovery": """
        {got anything|anything|is there anything} else {by them|from that author|like those|from <publisher>|by \
            <author>}?
        {any of those|do those come|are they also} in {<edition>|hardcover|Japanese}{| too| for <who>}?
        {and|what about} {<genre>|<genre> ones|something with <theme>}?
        {show me|can I see} {more|the next ones|some more like that}{| please| but with <theme>| but <trait>}
        {and|anything} under <money>?
        {same|like that} but {<genre>|for <kid_age>|from <publisher>}
        {no|nah}, {the other one|not those}, the one where <plot>
        {cool|ok|nice}, {what about|and} <merches> {of it|for that}?
    """,
    "recommendation": """
        {something|anything} {a bit |}<more_trait>?
        {read that|I've read that one|I own that}{ already|}, what else {has <theme>|is there|would you pick|is \
            <trait>}?
        {which|and which} {of those|of the two} {is better|would you pick|is <trait>}?
        {hmm|ok}, {not really my thing|a bit too <trait>}, {something with <theme>|another one}?
        {and|what} {if|about if} {she|he|they} {hates|hated} <genre>?
        {would|will} <who> {like|enjoy} {that|it} too?
        {why|how come} {that one|those}? I liked <T2> {for the art|because of <lead>}
        and which {one |}should {I|<who>} start with?
    """,
    "product_question": """
        {and|is} <vol>{| in stock too| out yet}?
        {how long|how many pages|how many volumes} is {it|that one}?
        {does|and does} {it|that one} come with <feature>?
        {and|is} the {<edition>|box set} {the same|in stock|in English| too}?
        {is|so is} {it|that one} {finished|ongoing|hardcover|uncensored}?
        {who|and who} {drew|publishes|translated} {it|that one}?
        is that {price|date} for {the <edition>|one volume|all of them}?
    """,
    "faq": """
        {and|what about} to <country>?
        does that {apply|count} {to|for} <policy> {too|as well}?
        how long does {that|it} {take|last} {usually|normally|}?
        {is|and is} {that|it} the same {in|for} {<country>|<policy>|<editions>}?
        {where|and where} {does it say that|can I read that|is that written}?
    """,
    "order_tracking": """
        {and|what about} {the other one|<ono>|the second box}?
        {so|ok so} when {will it {get here|arrive}|does it {get to <city>|arrive}}?
        {is|so is} {that|<weekday>} {the estimate|for sure|with <carrier>}?
        {it's|the number is} <ono>
        {still|no, it still} says <status_quoted>
        {where|and where} {is it now|was it last scanned}?
    """,
    "return_request": """
        {do|and do} I {have to |}pay for {that|the label|shipping it back}?
        {can|could} I {get|have} {store credit|a new copy|the other edition} instead?
        {and|so} when {do I get|will I see} the money?
        {it's|that's} {order |}<ono>, <damage>
        {I don't have|threw away} the {box|receipt|wrapping}, is that {ok|a problem}?
        {where|how} do I {send|drop off} it?
    """,
    "promotion": """
        {does|and does} {it|that} {work|count} {on|for} {<editions>|<T2>|preorders|<merches>}?
        {when|until when} {does it end|is that valid}?
        {and|what} {for|about} {members|students|two sets}?
        {so|ok,} how much {is it|would it be} then?
        {any|is there any} other {code|deal}{| for <T>| this week}?
    """,
    "checkout_help": """
        {still|nope, still} {not working|the same|<error>}
        {tried|did} that{ already|}, {same error|nothing|it says <error>}
        {same|it's the same} on <device>
        {where|and where} {is that|do I click}?
        {ok|now} it {asks|wants} {for a code|my postcode again|me to log in}
    """,
    "escalation": """
        {that doesn't|that didn't|this doesn't} help{, get me a person|, who can|}
        you {said|told me} that {already|twice|before}
        {no|NO}, {a person|I want a human|a real answer}
        {and|so} how long do I {wait|have to wait} for {a person|someone}?
        {what's|give me} the {number|email} of your manager
    """,
    "chitchat": """
        {haha|lol|ok} {ok|thanks|fair|good one}
        {thanks|thank you}{|!| again|, perfect}
        {same|me too}{| honestly| tbh}
        {you're|ur} {the best|funny|right}
        {ok|alright}, {bye|good night|see you}{|!}
    """,
}

OPAQUE = """
    {what about|and|how about} <vol>?
    {and|what about} the {box set|other one|second one|<edition>}?
    {and|what about} <T2>?
    {the|no, the} {first|second|other|last} one
    {and|what} if {it's|I get} {the <edition>|two of them}?
    {is that|so that's} {for|also for} the <edition>?
    {how|so how} {much|long}?
    {are you|you} sure?
    {I mean|sorry, I meant} <T2>
    {same|same question} for <T2>
    yes, <vol>
    and for <who>?
"""
