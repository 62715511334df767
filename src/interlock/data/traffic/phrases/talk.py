"""Questions about the shop itself, calls for a person, and talk for its own sake. Data only."""

FAQ = {
    "shipping": """
        if I order <item> {today|now|this week}, {how long does it take|what does shipping cost|when is it \
            sent} to {<city>|<country>}?
        do you {ship|deliver} to <country>?
        how {long does {shipping|delivery} take|much is {shipping|delivery}} to {<country>|<city>}{| usually}?
        {how much is|what does} {shipping|delivery|express shipping} {to <country>|for one volume|for a box \
            set}{| cost}?
        is {shipping|delivery} free {over|above} <money>[ {to|in} <country>]?
        which {carriers|couriers} do you {use|ship with} {for|to} <country>?
        do you {deliver|ship} on {weekends|Saturdays|holidays}?
        who pays {customs|import tax|duties} {when ordering from|for} <country>?
    """,
    "returns_policy": """
        {what's|what is} your {return|refund|exchange|cancellation} policy[ {for|on} \
            {<editions>|preorders|<merches>|sale items}]?
        how {long|many days} do {I|people|customers} have to {return|exchange|send back} {a \
            book|something|<merches>}?
        {can {opened|used|sealed|signed} {books|figures|manga} be returned|are {opened|used|signed} \
            {books|figures|manga} returnable}?
        do you {take back|accept returns of|refund} {<editions>|<merches>|preorders|opened manga}?
        who pays for {return shipping|shipping on returns|the return label}[ {to|from} <country>]?
        what {happens|do you do} {if|when} {a book arrives damaged|a parcel gets lost|an item is out of stock}?
    """,
    "payment_policy": """
        {do you|can I} {take|accept|pay with|use} <pay>[ {in|from} <country>]?
        {which|what} {payment methods|cards|currencies} do you {accept|take|support}?
        do you {sell|have|offer} {gift cards|gift wrapping|store credit|a subscription|installments}?
        when {do you|is my card} {charge|charged} for {a preorder|preorders|back orders}?
    """,
    "account": """
        how do I {change|reset|update} my {password|email|address|username|newsletter settings}?
        {can|how do} I {delete|close} my account[ and {data|order history}]?
        how do {reward points|the points|member levels|referrals} work[ {for|with} <policy>]?
        where {do|can} I {see|find} my {points|order history|invoices|wishlist|receipts}?
    """,
    "shop": """
        {where are your|do you have any} {physical |}stores[ in <city>]?
        what are your {opening hours|hours|store hours} {on <weekday>|on holidays|in <city>}?
        do you {buy|take|accept} {used|second-hand|old} {manga|books|figures}?
        are {your|the} {books|figures|<merches>} {official|licensed|new|imported from Japan}?
        do you {sell|carry|stock} {in Japanese|Japanese editions|digital manga|e-books} {at all|as a rule|too}?
        how do {preorders|back orders|reservations|holds} work{| here| for <editions>| in <country>}?
        can I {reserve|put aside} {books|a copy|something} {for pickup|in store|until <weekday>}?
        {how|how well} do you {pack|package|protect} {box sets|books|figures}{| for shipping}?
        {can|could} I {pick up|collect} {orders|an order} in {store|<city>}?
    """,
    "policy_topic": """
        {what's the deal with|can you explain} your {policy on|rules for} <policy>?
        {is there|do you have} a {page|policy|guide} {about|on|for} <policy>?
        what are the {rules|terms|limits} {for|on} <policy>?
        do {members|students|libraries|schools} get {free shipping|a discount card|priority on preorders|bulk \
            prices}?
    """,
    "implicit": """
        I {live in|moved to|am in} <country>, {would you ship here|can I even order|is that a problem for delivery}?
        {never ordered|first time ordering} {from you|here}, how does {it|delivery|payment} work?
        thinking of {ordering|preordering} <T>, {but|just} {what if it arrives damaged|what if I move before it \
            ships|when would I be charged}?
        {if|say} I {buy|order} <T> and {don't like it|it's the wrong edition}, {can it go back|is that \
            returnable|what are the rules}?
    """,
}

ESCALATION = {
    "person": """
        {I want to|I need to|can I|let me|please let me} {talk|speak} {to|with} {a human|a real person|a \
            person|an agent|someone|your manager|a supervisor}
        {give|get} me {a human|a manager|a real person|someone who can help}[, {now|this is ridiculous|I'm done \
            with the bot}]
        {transfer|connect|put} me {|through }to {an agent|a person|customer service|support|a supervisor}[<please>]
        is there {a phone number|an actual person|anyone real|a manager} I can {call|talk to|reach}?
        {human|agent|real person|representative|operator}{ please| now|, please|!|}
        {stop|enough with} the {canned|automatic} {answers|replies}, {I need a person|get me someone|human now}
    """,
    "repeat": """
        {this is the|it's the} {third|fourth|fifth} time I {write|contact you|ask} about {<item>|order <ono>|my \
            refund|the same thing}{| and nobody helps}
        I've {written|emailed|called|asked} <times> about {<item>|my refund|order <ono>|this} and {nobody \
            answers|got nowhere|nothing happens}
        {nobody|no one} {replied to my emails|has answered in <span>|answered about <item>}, {who is in \
            charge|what's going on there|this is not okay}
        {two|three|four} {agents|emails|chats} later and {<item> is still {lost|broken|missing}|still no \
            refund|I'm back where I started}
    """,
    "complaint": """
        {I want|I'd like|I wish} to {file|make} a {formal |}complaint about {<carrier>|your service|order \
            <ono>|a member of staff}
        {this is|that's} {unacceptable|a joke|the worst service I've had}, {<item> {was lost|came broken} and \
            {nobody cares|you keep my money}|fix it or I'm {gone|closing my account}}
        {if I don't|unless I} {hear back|get my money back|get an answer} {by <weekday>|today}, {I go to|I'm \
            calling} {my bank|my lawyer|consumer protection}
        I'm {disputing|going to dispute} {the charge|this} with my bank{ over <item>|, you ignored me <times>|}
        {you|your site} {charged|billed} me <times> for {order <ono>|<item>} and I want {someone to \
            explain|this escalated|a manager on it}
    """,
    "serious": """
        someone {logged into|is using|got into} my account and {ordered <item>|changed my address|spent my points}
        {there's|I see} {an order I didn't place|a charge I never authorized|an order I never made}, {who do I \
            call|I need someone now|this is fraud}
        {your driver|<carrier>} {was rude|yelled at me|left <item> in the rain|damaged my door}, {who is \
            responsible|I want to report it}
    """,
    "implicit": """
        {you're not|you are not} {helping|understanding}, {is there someone who can|who else can I ask}?
        {you keep|the bot keeps} {repeating yourself|repeating itself|sending me in circles|not answering}
        {I've|I have} been {patient|going in circles} {for <span>|long enough} {over|about|with} {<item>|order \
            <ono>|my refund}
        {how is it|how can it be} {possible|so hard} to {get|have} {one straight answer|a refund|<item>} \
            {here|from you people}?
        {I'm|I am} {never|done} {ordering|buying} {again|here} {until|unless} someone {calls me|explains \
            this|takes this seriously}
    """,
}

CHITCHAT = {
    "greeting": """
        {hi|hello|hey|good morning|good evening|hiya|yo|heya}{| there| again}{| MangaAssist| bot}{|!|, how are \
            you?|, how's it going?|, you there?}
        {good morning|good evening|happy <weekday>|happy weekend}{!| to you|, hope the shop is busy}
        {what's up|sup|how's your day|how's life in the bot world}?
    """,
    "thanks": """
        {thanks|thank you|cheers|ty}{|!| so much| a lot|, that helped|, you're the best|, got it|, that's all| \
            for the help}
        {great|perfect|awesome|cool|nice|lovely}, {thanks|thank you|that's all for {now|today}|bye|that was \
            quick|have a good one}
        {thanks|thank you} for {the help with|sorting out} {<T>|<item>|my order|the <T> question}{|!|, bye|, \
            {<who>|she|he} will love it}
        {got|received} <item> {today|<time_ago>}, {it's beautiful|looks amazing|thanks|love it}{|!}
    """,
    "opinion": """
        I {wish|hope} {<T>|<vol> of <T>} {never ends|gets an anime|sells a million}, {<feeling>|so good}
        you {should|have to|need to} read <T>, {it's|seriously} <opinion>
        <who> {finally read|started|stole my copy of} <T>, {now we talk about nothing else|proud moment|<feeling>}
        <T> is <opinion>{|!| and I will die on that hill|, don't @ me|, change my mind}
        <just_read>{!|...|.} <feeling>
        {that|the} ending of <T>{...|,} <feeling>
        {honestly|I swear|ngl|no lie,} <char_of> {deserved better|is the best character|did nothing wrong|lives \
            in my head}
        {can we talk about|I can't get over|still thinking about} {<vol> of <T>|<char_of> in <T>|how good <T> \
            is|that scene in <T>}
        {<char> or <char2>|<T> or the anime}, {who wins|which team are you|pick one}{?|, be honest}
        {I|we} {cosplayed|dressed up as} <char_of> {at|for} <con>, {so much fun|best weekend ever|everyone loved it}
        my cat {sat on|chewed|sleeps on} my {copy of <T>|<T> box set|new manga}{| lol|, at least someone enjoys it}
        just {put|arranged} all my <T> volumes {on the shelf|in a row}, {so pretty|it looks great|proud moment}
    """,
    "bot": """
        {are you|am I talking to} {a bot|a real person|an AI|a human}?
        {do you|can you} {read manga|have a favorite character|like <T>|ever sleep|speak Japanese}?
        {who made|who trained|what are} you?
        {what's|tell me} your {name|favorite manga|favorite series|honest opinion of anime}
        {what can you do|what are you for|how old are you}?
        {tell me|say} {a manga joke|a joke|something funny|something in Japanese}
        {you're|ur} {funny|sweet|pretty smart for a bot|kinda cute|a good bot}{|!}
    """,
    "ack": """
        {ok|okay|alright|sure|got it|I see|fine|right|hmm|makes sense}{|.|!|...|, cool| then}
        {yes|yeah|yep|no|nope|nah|maybe}{|.|!| please| thanks|, thanks|, not now|, I'm good}
        {lol|haha|hahaha|lmao|wow|omg|aww|nice}{|!|, true|, fair enough| same|, ok}
        {let me|I'll} {think about it|check and come back|ask <who>|sleep on it|be right back}
        {never mind|nvm|forget it|ignore that}{|, I found it|, wrong chat|, sorry|, figured it out}
        {bye|see you|good night|later|have a nice day|take care}{|!| and thanks|, until next payday}
    """,
    "small_story": """
        {I'm|just} {reading|rereading} <T> {on the train|in bed|at work, don't tell anyone}, {perfect \
            evening|best part of my day|what a day}
        {waited|saved up} {months|a whole year} for <item> and {it was worth it|I regret nothing|my wallet is \
            crying}
        {at|went to} <con> {today|last weekend}, {your booth was great|met <author>, I'm shaking|my feet hurt \
            but so happy}
        {payday|it's payday}, {my wallet is not safe|manga money time|here we go again}
    """,
}
