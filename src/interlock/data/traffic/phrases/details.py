"""What a customer adds about their own request, by intent. Data only."""

DETAILS = {
    "product_discovery": """
        {preferably|ideally|maybe} {something <trait>|in English|in <edition>|with nice art|a complete series}
        {I don't mind|don't care about} the {price|length|publisher}
        {anything|everything} {under <money>|from the last few years|by a new author} {is fine|works|helps}
        {a list|links|titles and covers|a few options} would be {great|enough|nice}
        {couldn't|can't} find {them|any|it} {in the menu|with the search|on the site}
        {it doesn't have to be|not necessarily} <genre2>
        I want to {browse|look through|go through} what's {there|available} first
        {new or used|any format|paperback or digital}, {both fine|whatever you've got}
    """,
    "recommendation": """
        I {usually|mostly|normally} {like|enjoy|go for} {<genre2>|<theme>|<lead>}
        {nothing too|not too|please nothing} <trait>
        I {couldn't get into|dropped|hated|was bored by} <T3>
        {I trust you|your honest opinion|be honest|your personal favorite is fine}
        {one good pick|a single idea|just one title} is enough
        I {want|need} {to feel something|a page turner|to laugh|a good cry}
        {tastes|our taste}: {<genre>, <genre2>|<theme> and <genre2>}
        {my favorites are|favorites so far:} <T2> and <T3>
        {not sure|no clue} {what fits me|where to begin}
    """,
    "product_question": """
        {the page|the listing|the description} {doesn't say|is vague|only shows the cover}
        {want to be sure|I'd like to know|need to know} before I {buy|order|commit}
        {I only have|I have|mine is} the {<edition2>|old printing|first volume}
        {the wiki|the publisher|a forum} says {something else|otherwise|different things}
        I {collect|only read|prefer} <editions>
        {it matters because|asking because} {of my shelf|the spines have to match|I read it to <who>}
        {isbn|page|cover} {would help|info too if you have it}
    """,
    "faq": """
        {couldn't|can't} find it {in the help pages|in the terms|anywhere}
        {just|only} {asking in general|planning ahead|curious}, {no order yet|nothing bought yet}
        {this would be|it'd be} my first {time|order|purchase}
        {a link|a short answer|the page} is {fine|enough}
        {I'm a member|I don't have an account|I live in <country>|I order for a school}
        {your site|the footer|the app} {says two different things|mentions it|isn't clear}
    """,
    "order_tracking": """
        I {ordered|bought|paid for} {it|this} <time_ago>
        it's {going|supposed to go|being sent} to <city>
        {the number is|order number|it's order} <ono>
        {it's coming with|they sent it with|it went out with} <carrier>
        I {need|want} it <by_when>
        {no email|no message|not one update} since <weekday>
        {the estimate|the promised date|delivery day} was <weekday>
        {it's|this is} for {<who>|a birthday on <weekday>}
        {the neighbors|reception|the post office} {don't|doesn't} have it either
    """,
    "return_request": """
        {the number is|order number|it's order} <ono>
        {I have|can send} {photos|pictures|the receipt|a video}
        {it's|still} {unopened|in the wrap|like new|in the original box}
        {bought|got} it <time_ago>
        {a replacement|store credit|money back} {is fine|would be ok|is all I want}
        I paid {<money>|with {my card|PayPal|a gift card}} for it
        {it was|meant as} a {gift|present} for <who>
        {only|just} {read a few pages|opened it once|took it out of the box}
    """,
    "promotion": """
        {I saw|there was} {a banner|something|an ad} {in the newsletter|on instagram|on the front page}
        {last year|last month|at <con>} it was {30%|20%|half|<money>} off
        I'm {a member|a student|not a member|new}
        {would get|might buy|thinking about} {the whole set|two of them|it for <who>} if so
        my budget is <money>
        {full price|<money>} is {too much|steep} {right now|for me}
        {the banner|the page|the mail} {doesn't say|only mentions <editions>|ends <weekday>}
    """,
    "checkout_help": """
        {tried|I tried} {twice|three times|<device> too|another browser|another card}
        {there's money on it|the card works elsewhere|it works in other shops}
        it {says|shows|just says} <error>
        {same|it's the same} on <device>
        {the total is|it's about} <money>
        {there are|I have} {three books|<T2> and <T>|five items} in there
        {cleared|already cleared} {the cache|my cookies}
        {I don't want|would hate} to {lose the cart|pay twice|miss the sale}
    """,
    "escalation": """
        {it's about|this is about} {order <ono>|<item>|my refund|a parcel}
        {I've been waiting|this has gone on} for <span>
        {nobody|not one person} {called back|answered|read my emails}
        {my number is|call me at} 555-01<n>7
        {the chat|the bot|your form} {is useless|just loops|closed on me}
        I {have|kept} {every email|screenshots|the names}
        {last agent|the last one|someone} promised {a call|a refund|an answer} <time_ago>
    """,
    "chitchat": """
        {anyway|that's it|no question}, {just wanted to say that|had to tell someone|carry on}
        you {made my day|rock|always deliver}
        {so good|ten out of ten|what a week}
        {my|the} cat {agrees|approves|is unimpressed}
    """,
}
