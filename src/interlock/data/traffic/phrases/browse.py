"""Wanting titles: how customers browse the shelves and how they ask for advice. Data only."""

PRODUCT_DISCOVERY = {
    "by_genre": """
        {good|decent|any good} <genre> {series|manga} {in stock|on the shelf|on the site}{| right now| under \
            <money>}?
        what {are|would be} the {newest|most popular|cheapest|highest rated} <genre> {titles|series} {you \
            carry|on your site|in your catalog}?
        is there {something|anything|a series} {with <lead>|about <theme>|for <who>} {in the shop|that you \
            stock|on the site}?
        can you {help me find|point me to|suggest where to look for} {<genre> titles|series about \
            <theme>|<demo> manga}{| under <money>| in stock}?
        {show me|let me see|can I see|pull up|can you list} {any|whatever} <genre> {manga|series|titles} you \
            {have|carry|stock|sell}[ right now]
        <do_you> {have|carry|stock|sell} {any|much in the way of|anything in the way of} <genre>[ manga]?
        <do_you> {have|carry|stock} any <genre> {manga|series|titles} {with <lead>|about <theme>}?
        what <genre> {manga|series|titles} <do_you> have {about <theme>|with <lead>|under <money>|from <publisher>}?
        <looking> {<genre>|<demo>} manga {about <theme>|with <lead>|under <money>|from <publisher>}
        <looking> <genre> {manga|series}, {preferably|ideally} {<lead_with>|under <money>|something \
            <trait>|finished already}
        where {do|can} I find {the|your} {<genre>|<demo>} {section|shelf|stuff|titles}?
        {what's|anything} new in <genre>[ {this month|this week|lately}]?
        {show me|let me see} what you've got for <genre>[ and <genre2>], {nothing too <trait>|<trait> if \
            possible|in <edition> if you have it}
        {any|got any} <demo> {series|titles} about <theme>[ {in stock|on the shelf}]?
    """,
    "by_theme": """
        <do_you> {have|carry|stock} {anything|any manga|any series|a series} about <theme>?
        <looking> {something|anything|a series|manga} about <theme>[, {doesn't matter how long|any genre is \
            fine|short ones first}]
        {are there|have you got|got} any manga about <theme>{| out in English| that aren't twenty volumes long| \
            on your site}?
        {show me|let me see} {everything|what you have} {with|that has} <theme>
        {which|what} {titles|series|books} in {the shop|your catalog|stock} {are about|deal with|have} <theme>?
        I'm {in the mood for|craving} <theme>, {what's on the shelf|what do you have|show me a list}
    """,
    "like_this": """
        I {liked|loved|read} <T>, {is there more by <author>|do you have the other series|what else is there \
            from <publisher>}?
        I finished <T>, {is there|do you have} {a sequel|a spin-off|a side story|another one by <author>} {in \
            stock|on the site|I can get}?
        which of {the titles|the series|your books} are {like|close to} <T>? {show me|list them|just a list is fine}
        <do_you> {have|carry|sell} {anything|any series|other stuff|more titles} {like|similar to|in the vein \
            of|along the lines of} <T>?
        {show me|pull up|let me see} {series|titles|manga} {like|similar to} <T>[ {that are finished|that you \
            have in stock|in <edition> format}]
        <looking> {<T>-like series|stuff like <T>|titles in the style of <T>}[, {what's in stock|what do you carry}]
        what else do you {have|carry|stock} {for fans of <T>|that's close to <T>|in the same universe as <T>}?
        {what|which} manga {like|similar to} <T> {do you stock|do you carry|can I buy from you}?
    """,
    "by_creator": """
        <do_you> {have|carry} {anything|any other series|other books|more} {by|from} {<author>|the author of \
            <T>|the same author as <T>}?
        {show me|list|let me see} {everything|all the books} {by <author>|from <publisher>|by whoever drew <T>}
        {anything|something} else {by|from} {<author>|<publisher>|the mangaka behind <T>} {on the site|in \
            stock|that I can order}?
        <looking> {works|titles|older stuff} by <author>[, {even|especially} <editions>]
    """,
    "forgotten": """
        {trying to find|help me find|looking for} {a|this|that} manga where <plot>[, <detail>]
        {I can't remember the name|I forgot the title}{, but| but} <plot>[, {and|also} <detail>]{. do you have \
            it|. which one is it}?
        {which|what's the} manga {is the one |}where <plot>? <detail>
        I saw {a manga|one|a series} {at <con>|at <place_bought_lib>|on your site} where <plot>{| and now I \
            can't find it|, is it still around}
        {what was|what's} that {series|manga} called, <plot>[ and <detail>]?
    """,
    "merch": """
        <do_you> {have|carry|sell} {any|some} {<T>|<char_of>} {merch|<merches>}?
        <looking> %a {<T>|<char_of>} <merch>[ {for <who>|under <money>}]
        {show me|let me see} {the|all the|your} {<merches>|<merches> for <T>}[ under <money>]
        {any|are there any} <merches> {from|of} {<T>|<char_of>} {left|on the site|under <money>}?
    """,
    "by_format": """
        <do_you> {have|carry|sell} {any |}<genre> <editions>?
        {show me|list} {the|your} <editions> {under <money>|for <genre>|from <publisher>|that came out this month}
        <looking> <editions> {of <genre> series|by <author>|under <money>|that would look good on a shelf}
        {which|what} {series|titles} do you have {in|as} <editions>?
        is there %a <jargon> {section|shelf|category}{| somewhere}?
        {what|which} <jargon> stuff {do you carry|is in stock}?
    """,
    "gift_browse": """
        <looking> {a gift|a present|gift ideas|something} for <who>, {they like|into|big fan of} \
            {<genre>|<theme>|<T>}[, under <money>]
        {show me|any|do you sell} {gifts|gift sets|starter sets} {under|around} <money>[ for {a <genre> fan|<who>}]
        what do you {have|sell} {for|aimed at} <kid_age>{, <genre> maybe| who likes <theme>|}?
    """,
    "implicit": """
        I've got <money> and %an empty shelf, <genre> please
        <genre>, <genre2>, anything with <theme>
        {new releases|bestsellers|latest arrivals} {in <genre>|from <publisher>|this week}
        {just|only} browsing, {maybe|mostly} <genre> {and|or} <genre2>[ {this time|today}]
        my {shelf|collection} {needs|could use} {more|some} <genre>
        {<genre> manga|manga with <lead>|<T> style manga|<genre> <editions>}{| under <money>| in stock}
        {<theme>|<genre>} manga
    """,
}

RECOMMENDATION = {
    "next": """
        I'm looking for {advice|ideas|a nudge} on what {to read|to start|to buy} {next|after <T>|once <T> ends}
        do you have {a favorite|an opinion|any tips} on what {to read|to try} {next|after <T>}?
        what {series|manga} do you have that {you'd hand|you'd give|would suit} {someone who liked \
            <T>|<person_type>|<who>}?
        what should I {read|start|pick up|get into} {next|after <T>|now that I'm done with <T>|once I finish <T>}?
        <just_read>. {what next|what now|what should I read next|where do I go from here}?
        {what would you|which series would you|what do you} {suggest|recommend} {after|to follow} <T>[ {and|or} \
            <T2>]?
        I've {read|finished|gone through} <T> and <T2>, {what else would I like|what would you suggest|any \
            thoughts on what to try next}?
        {help me|could you help me} {pick|choose|decide on} {my next series|something to read|what to read \
            next}, {I like <theme>|I loved <T>|mostly <genre>}
    """,
    "judge": """
        is there {a good reason|any reason} to {read|start|buy} <T> if I {know|own|finished} <T2>?
        do you have <T2> {fans|readers} who {liked|loved} <T>, or is it {too different|just hype}?
        how many volumes {should I|would you} give <T> before {dropping it|judging it}?
        is <T> {good|worth it|worth starting|a good pick|any good} for {someone who liked <T2>|<person_type>|<who>}?
        {would|will} {I|someone like me} {like|enjoy} <T> if I {liked|loved|hated|couldn't finish} <T2>?
        is <T> {worth|worth me} {reading|buying|collecting} if I {prefer|mostly read|don't like} <genre>?
        {do you think|would you say} <T> is {a good|the right} {choice|pick|place to start} for \
            {<who>|<person_type>}?
        {should I|do I} {bother with|give a chance to|start|drop} <T>{| if I'm not into <genre>|, or is it \
            {too|just} <trait>}?
        {how|what} would you rate <T> {compared to|next to|against} <T2>?
    """,
    "compare": """
        <T> or <T2>{, which one {should I start|would you pick|would you read first}|? I can only {get|afford} one}
        {between <T> and <T2>, what's|out of <T>, <T2> and <T3>, which is} {better|the better read|the one to \
            get}[ for {<who>|<person_type>}]?
        {can't decide between|torn between|stuck between} <T> and <T2>[, {help|thoughts|your pick}]?
        {is <T> a better gift than|would <T> be better than} <T2> for {<who>|<person_type>}?
    """,
    "something_like": """
        {something|anything|I want something|give me something} like <T> but <more_trait>
        {can|could} you {recommend|suggest} {something|a series|a manga|a few manga} {like|similar to|in the \
            spirit of} <T>[, {just|only} <more_trait>]?
        {any|got any} {recommendations|recs|suggestions|ideas} for {<someone_who> {liked|loved} \
            <T>|<theme>|<genre> with <lead>}?
        {recommend|give} me {something|a good series|a <genre_a> series} {with <lead>|about <theme>|that's \
            <trait> and <trait2>}[<please>]
        what's {a good|the best|your favorite|an underrated} <genre> {series|manga} {with <lead>|about \
            <theme>|for {<person_type>|<who>}}?
        if I {liked|loved} <T> {for|because of} {<lead>|<theme>|the art}, what {else would you|would you} \
            {suggest|recommend|point me to}?
        {which|what} {series|manga} {hits like|feels like|has the same vibe as|scratches the same itch as} <T>?
    """,
    "for_person": """
        <who> {loves|is really into|just finished|won't stop talking about} <T2>, {what should I get them|what \
            would they like next|any ideas}?
        what would you {recommend|suggest} for {<kid_age>|<who>|<person_type>} who {likes|is into} \
            {<genre>|<theme>}?
        {need|I need} {advice|help} {picking|choosing} a {manga|series|box set} for <who>[, {they only know|who \
            only reads|who only likes} <T2>]
        {what's|which is} a {safe|good|nice} {first|starter} manga for {<who>|<person_type>|<kid_age>}?
    """,
    "mood": """
        I {need|want|could use} {something|a manga|a series} <trait> {and|but} <trait2>[, {surprise me|your \
            call|you choose|what have you got}]
        {feeling|I'm feeling} {down|stressed|bored|nostalgic}, {what should I read|give me something \
            <trait>|what's a good comfort read}?
        {surprise me|hit me} with {your best|a good|something} <genre>{| pick| rec}[, {nothing|not} too <trait>]
        {what's|what is} {the most <trait>|the one|a really <trait>} <genre> {manga|series} you'd {push on|give \
            to|hand to} {anyone|a friend|<person_type>}?
        {what|which} {manga|series} {made you cry|keeps you up at night|is the best for a long flight|would you \
            take to a desert island}?
    """,
    "where_to_start": """
        where {should|would} {I|you|a beginner} start with {<author>|<genre>|<genre> manga|<T>}?
        {which|what} {<demo>|<genre>} {series|manga} {should I|would you} {start with|try first}[ if I {only \
            read|liked} <T>]?
        {best|good|top} {three|five|couple of} <genre> {series|manga} {for|to convert} {<person_type>|<who>}?
    """,
    "implicit": """
        <just_read> and nothing {fills the void|comes close|else feels right}
        I'm {out of|running out of} things to read, {I loved|big fan of|really liked} <T>[ and <theme>]
        {my tbr is empty|my reading list is empty|nothing left to read} and I {liked|loved} <T>, {help|ideas}
        {everyone says|a friend says} I have to read <T>, {is it really that good|worth the hype|true}?
        I'd trust your taste, {<theme>|<genre>}, {go|what do I get}
        <T> {ruined|spoiled} every other <genre> {manga|series} for me, {what comes close|what could top it|now \
            what}?
    """,
}
