"""Asking about one known product, and asking about prices coming down. Data only."""

PRODUCT_QUESTION = {
    "finished": """
        would you {say|know if} <T> is {finished|complete|ongoing|still running}?
        I {like|liked|love} <T>, {is it finished|how many volumes are out|is there a date for <vol>}?
        should <vol> of <T> be {out|in stock} {by now|yet}?
        looking for {the page count|the release date|the age rating|the isbn} of <T>[ <vol>]
        is <T> {finished|complete|still running|still ongoing|on hiatus|cancelled}?
        {how many|how many more} volumes {of <T> are there|does <T> have|of <T> will there be|is <T> going to have}?
        {did <T> end|has <T> ended} {at|with} <vol>[ or is there more]?
        <tell> {whether|if} <T> is {finished|complete|ongoing} {in English|in Japan|yet}
        is <vol> the {last one|final volume|end} of <T>?
    """,
    "stock": """
        is <vol> of <T> {in stock|available|sold out|back in stock|on back order}[ {right now|anywhere|in the \
            {Leeds|Austin|Osaka} shop}]?
        do you have <T> <vol>{| in stock| in <edition>| left}?
        when {will <T> <vol> be {back|restocked|released}|is <T> <vol> {due|coming out|out in English}}?
        <tell> when <T> <vol> {comes out|gets released|is back in stock}
        how many copies of {the <T> <edition>|<T> <vol>} are {left|still there}?
    """,
    "edition": """
        {what's the difference|is there a difference} between the <T> <edition> and the {<edition2>|regular \
            one|one you sold last year}?
        does the <T> {<edition>|box set|omnibus} {come with|include|have|still have} <feature>?
        is the <T> {<edition>|box set} {hardcover|in English|uncensored|the new translation|a reprint|in color}?
        which chapters {are in <T> <vol>|does <T> <vol> cover}?
        which volumes are {in|included in} the <T> {box set|omnibus|collector's edition}?
        is there {a|any} {box set|omnibus|hardcover|digital version|deluxe edition} of <T>[ {yet|planned}]?
        does <T> <vol> {have|come with|include} <feature>?
    """,
    "facts": """
        who {wrote|drew|translated|publishes|illustrated} <T>?
        {what|which} {genre|demographic|age rating|publisher} is <T>?
        what {year|language} is {the <T> <edition>|your copy of <T>} {from|in}?
        is <T> {based on a light novel|the same as the anime|connected to <T2>|a sequel to <T2>|by the author \
            of <T2>}?
        does <T> {have an anime|end like the anime|cover the movie story}?
        what is <T> {about|actually about}[, {no spoilers please|without spoilers}]?
        {at|after} which volume does the anime of <T> {stop|end|leave off}?
        how {big|heavy|thick} is {<T> <vol>|the <T> <edition>|the <T> box set}?
        how much {does {<T> <vol>|the <T> <edition>|the <T> box set} cost|is {<T> <vol>|the <T> <edition>|the \
            <T> box set}}{| with tax| if I buy it alone}?
    """,
    "content": """
        what should I know {about the content of|before buying|before my kid reads} <T>?
        do you have {an age rating|a content warning|a sample} for <T>?
        is <T> {the kind of story with|a series with|one with} {<lead>|<theme>}?
        can you recommend a reading order for <T> and {the spin-off|the prequel|<T2>}?
        is the {print|paper|translation} of <T> {any good|good quality|better in the <edition>}?
        is <T> {okay|appropriate|suitable|too violent|too graphic|safe} for {<kid_age>|a school library|a class \
            of teenagers}?
        does <T> have {<lead>|a happy ending|any <theme>|graphic scenes|a lot of fan service|cliffhangers}?
        is <T> {more|mostly} <genre> or {more |}<genre2>?
        is <T> {anything like|similar to|the same kind of story as} <T2>, or {is it more <trait>|totally different}?
        how {violent|sad|romantic|scary} {does <T> get|is <T>}[ {after|around} <vol>]?
        do I {need|have} to read <T2> before <T>?
        {can|could} I {start|jump into} <T> {from|at|with} <vol>{| without the rest| after the anime}?
        does the story of <T> {slow down|get better|stay good|change} after <vol>?
    """,
    "merch_facts": """
        {how tall|what size|what scale|how big} is the <char_of> {figure|plush|wall scroll|acrylic stand}?
        is the <T> <merch> {official|licensed|the small one|limited|in stock|a bootleg}?
        what {material is the <T> {hoodie|T-shirt|plush} made of|sizes does the <T> {hoodie|T-shirt} come \
            in|colors does the <T> {tote bag|mug|hoodie} come in}?
        does the <char_of> figure come with {a stand|extra hands|the sword|a box|a second face}?
    """,
    "implicit": """
        {wondering|not sure} if <T> <vol> {is the one with|has} {the beach chapter|the wedding|the final \
            fight|<feature>}
        {the listing|your page} for <T> doesn't say {if it's in English|how many pages it has|which edition it \
            is|who translated it}
        I {saw|see} two {covers|versions|listings} of <T> <vol>, {what's the difference|are they the same book}?
        <T> <vol> {release date|page count|isbn|price|translator}?
        {someone told me|I heard|I read that} <T> {got cancelled|is getting reprinted|has a new ending|changed \
            publisher}, {is that right|is that true|true}?
        {can't tell|hard to tell} from the {photo|picture|listing} whether the <T> <edition> {is new|is \
            sealed|comes with <feature>}
    """,
}

PROMOTION = {
    "on_sale": """
        looking for {a deal|a bargain|a discount} on {<T>|<genre> manga|<editions>|a <T> box set}
        do you have <T> {for less|at a lower price|in a bundle deal}{| anywhere| this week}?
        is {<T>|the <T> <edition>|the <T> box set|<T> <vol>} {on sale|discounted|part of the <sale>|cheaper \
            {this week|with a code}}?
        are any {<genre> titles|<genre> series|<editions>|<merches>} {on sale|discounted|in the <sale>}{| right \
            now}?
        what's {on sale|discounted|in the <sale>}{| this week| for <genre>| from <publisher>| under <money>}?
        {any|got any} {deals|discounts|offers|specials} on {<T>|<genre> manga|<editions>|<merches>|preorders}{| \
            today| right now}?
        {how much|what} is the <T> {box set|<edition>} {during|in} the <sale>?
    """,
    "when": """
        when {does the {next |}<sale> start|is the {next |}<sale>|is the <sale> over}?
        {will <T> be|is <T> going to be} {cheaper|on sale|discounted} {on|for|around} {Black \
            Friday|Christmas|<con>|Golden Week|the summer}?
        is the <sale> {still on|over|still running|for members only|online only}?
        {should I wait|is it worth waiting} for the <sale> to {buy|get} {<T>|the <T> box set}?
        how long does the <sale> {last|run}?
    """,
    "code": """
        {do you have|is there|got} a {promo code|coupon|discount code|voucher}{| for first orders| for \
            students| for <T>}?
        {does|will} {the code|code} <code> {work on|apply to|cover} {<editions>|preorders|<T>|sale items|<merches>}?
        what {does {the code |}<code> {give me|take off}|is {the code |}<code> {worth|good for}}?
        {can I|is it possible to} {combine|stack} {<code>|the <sale>|two codes} with {my points|the member \
            discount|free shipping|a gift card}?
        I {got|saw} {a|the} code{|, <code>,} {in the newsletter|at <con>|on a podcast|from <who>}, {is it still \
            good|how much does it take off|what is it for}?
    """,
    "bundle": """
        is there a {discount|deal|better price} if I {buy|get} {the whole series|all of <T>|more than five \
            volumes|<T> and <T2> together}?
        {how does {the buy 2 get 1|the bundle deal|the <sale>} work|does {the buy 2 get 1|the bundle deal|the \
            <sale>} {work with <editions>|include <T>|count for <merches>}}?
        is the <T> {bundle|box set} {cheaper|a better deal} than {buying them one by one|single volumes}{| with \
            the <sale>}?
        what do I save if I {preorder {<T>|two volumes}|buy the {<T> |}set|subscribe|become a member}?
    """,
    "implicit": """
        I'd {grab|buy|order} <T> <today_if> it {drops|dropped} {below|under} <money>
        {any way to|can I} get {<T>|the <T> box set|<editions>} {cheaper|for less|under <money>}?
        {<money>|that} is a bit {much|steep} for {<T>|the <T> <edition>}, {any offers|is there a deal \
            coming|anything you can do}?
        {saw|heard} you're doing {something|a deal|free gifts} for {<con>|the holidays|the <sale>}, {what's \
            included|tell me more|is <T> in it}?
        {student|teacher|birthday|first order|loyalty} discount?
        <place_bought> had <T> {for less|30% off|half price}, {do you|can you} match {that|it}?
    """,
}
