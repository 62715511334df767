"""After and around the sale: tracking, returns and the checkout. Data only."""

ORDER_TRACKING = {
    "where": """
        do you have {any news|a date|a tracking link} for {my <item>|order <ono>|my preorder}?
        looking for {my order|order <ono>|the tracking of <item>}, {it says <status_quoted>|no email yet|any idea}?
        {where's|where is} my {order|package|parcel|<item>|preorder}[ {<ono>|from <time_ago_noun>}]?
        can you {check|track|look up|check on} {order <ono>|my order|my order of <item>|the parcel with \
            <item>}[<please>]?
        {any|is there any} {update|news} on {order <ono>|my <item>|my preorder of <T> <vol>|the package}?
        {what's|tell me} the {status|latest} {of|on} {my order|<ono>|order <ono>|my <item>}[<please>]
        {has {my order|<item>|order <ono>|my preorder} {shipped|left the warehouse|gone out}|did {my \
            order|<item>|order <ono>|my preorder} {ship|go out}}[ yet]?
        I {ordered|bought} <item> <time_ago> and {haven't heard anything|still nothing|it isn't here|there's no \
            tracking}
    """,
    "when": """
        when {will|should} {my order|<item>|order <ono>|my box} {arrive|get here|show up|be delivered}?
        will {<item>|my order|order <ono>} {get here|arrive|make it} <by_when>?
        {how long|how much longer} {until|before} {<item>|my order|my package} {ships|arrives|gets to <city>}?
        is it normal that <item> {has been|was|shows} <status_quoted> for <span>?
        it says {delivery|arriving} <weekday>, {is that still right|is that realistic|does that include <item>}?
    """,
    "stuck": """
        {the tracking page|the app|<carrier>} {says|shows|still says} <status_quoted>{ for <span>|, what does \
            that mean|, is that right| but nothing came| since <weekday>}
        the tracking {number|link} {for {<item>|<ono>} |}{doesn't work|hasn't updated in <span>|goes nowhere|is \
            for another address}
        {my package|order <ono>|<item>} has been {stuck|sitting} {in customs|in <city>|at the depot|with \
            <carrier>} for <span>
        {it's|it has been} <span> since {I ordered|you shipped} <item>{ and nothing|, is it lost|, any news|, \
            should I worry}?
        {<item>|order <ono>|it} {is marked|says|was marked} delivered but {there's nothing here|I never got \
            it|my mailbox is empty|nobody was home}
        only {half|part|one box} of my order {came|arrived|showed up}, {where's|when is} {the rest|<item>}{| \
            coming}?
    """,
    "change_route": """
        {can|could} you {still |}change the {delivery address|shipping address|delivery date} {on|for} {order \
            <ono>|<item>|my order}?
        I'm {away|traveling|moving} {next week|on <weekday>}, can {my parcel|order <ono>|<item>} {be held|go to \
            a pickup point|come later}?
        which {carrier|courier} {has|is bringing} {my order|<item>|order <ono>}?
        is {my preorder for|the preorder of} <T> <vol> {shipping this week|still on track|delayed|still coming \
            on release day}?
        will {<item> and <item2>|both books|my two orders} {ship together|come in one box}?
    """,
    "implicit": """
        {been waiting|still waiting} {on|for} <item>[ {since <weekday>|for <span>}]
        {it's|it is} <weekday> and {no|still no} {<item>|package|box|sign of <item>}
        {the shop|you} charged me <time_ago> {but nothing moved|and the order page still says \
            <status_quoted>|and I have no shipping email}
        order <ono>{ please| status|?|, any update?|, where is it?}
        I {need|was hoping to have} <item> <by_when>, {is it on its way|has it left yet|where is it now}?
        {neighbor|<who>} got {theirs|the same box}{ already|}, {mine|my <item>} {isn't here|hasn't moved}
    """,
}

RETURN_REQUEST = {
    "damaged": """
        do you have {a form|an address|someone} for {damaged books|returns}? <damage> on <item>
        {my|the} {copy of <T> <vol>|<item_bare>|order} {arrived|came} {damaged|broken|wet|bent}, <damage>
        <damage>{| on <item>| on the one I got}, {can I get a replacement|I want a refund|what can you do|can \
            you send another}{?|}
        I {opened|unpacked} <item> and <damage>{. can I exchange it?|. I'd like a new copy|, how do I get my \
            money back?}
        {<item> {came|arrived} and|got <item> today,} <damage>{|. not happy|. please advise|, I'd like to swap it}
    """,
    "wrong_item": """
        {you sent|I received|I got|they shipped} {<T2>|<item2>|the wrong volume|the Japanese edition|<vol>} \
            instead of <item>
        {wrong {volume|book|size|edition} in the box|that's not what I ordered}, {I ordered|it should be} <item>
        {the|my} box {had|was missing} {<item>|two copies of <item>|someone else's books}{, how do I send it \
            back|, can I get it replaced|, can you sort it out}?
    """,
    "send_back": """
        {I want to|I'd like to|I need to|can I|how do I} {return|send back|exchange|get a refund for} <item>[, \
            <reason>]
        {can|could} I {return|exchange|swap} <item>{? <reason>| because <reason>| even if I opened it}?
        <reason>, {can I send <item> back|I'd like to return <item>|how do I return <item>}?
        {start|open|set up} a return for {order <ono>|<item>}[<please>]
        {need|I need} a {return label|refund|replacement} for {order <ono>|<item>}[, <reason>]
        {is it|am I} too late to {return|exchange} <item>? {bought|got} it <time_ago>
    """,
    "cancel": """
        {please |can you |I want to |}cancel {order <ono>|my order of <item>|my preorder of <T>|the \
            <item_bare>}[, <reason>]
        I {ordered|bought} <item> {by mistake|twice}, {please cancel one|can you cancel it|I want to cancel \
            before it ships}
        {can|could} you {take|remove} <item> {off|from} my order and {refund|pay back} that part?
    """,
    "refund_progress": """
        {when|where} {do I get|is} my {money back|refund}{| for <item>| for order <ono>}?
        I {sent back|returned|mailed back} <item> <time_ago> and {no refund yet|haven't been refunded|only got \
            half back}
        {did my {return|parcel with the return} {arrive|reach you}|has my {return|return parcel} arrived} yet? \
            I want my refund
        {can|could} {the refund|it} go {to another card|as store credit|back to PayPal}{| for <item>}?
    """,
    "implicit": """
        <item> {isn't what I thought|doesn't match the rest of my set|is not for me|is the wrong size}, <reason>
        I {don't want|don't need|can't keep} <item> {anymore|after all}, <reason>
        {<who> already has|turns out I already own} <item_the>, {what are my options|what now|can you take it back}?
        I {can't|don't want to} {keep|give away} <item> {when|if} <damage>
        <damage>{. order <ono>|, see order <ono>}
    """,
}

CHECKOUT_HELP = {
    "payment": """
        {my payment|<my_pay>} {keeps getting|was|got} {declined|rejected|refused} {at checkout|when I try to \
            buy <T>|for no reason}[, what {can I do|now}]?
        {I can't|unable to|trying to} {pay|check out|complete my order}{ with| using} <my_pay>[, it says <error>]
        it {says|shows|keeps saying} <error> {when I|every time I} {pay|try to pay|place the order|hit buy}
        {got|was} charged {twice|two times} but {the order didn't go through|there's no confirmation|my cart is \
            still full}
        can I {split the payment between|pay with both} <my_pay> and {a gift card|another card|my points}?
    """,
    "cart": """
        {<T> <vol>|<item_bare>|the <T> box set} {keeps disappearing|disappears|vanishes|won't stay} {from|in} \
            my {cart|basket}
        I {can't|can not|am unable to} {add|put} {<T> <vol>|the <T> <edition>|a preorder} {to|in} {my cart|the \
            basket}
        {how do I|can I} {remove|change the quantity of|save for later} {<T> <vol>|one volume|something} in my cart?
        my cart {is empty|emptied itself|shows the wrong total|won't load} {on <device>|again|after I logged in}
    """,
    "step": """
        {stuck on|can't get past|nothing happens on} <step>[ {on|in} <device>]
        the {checkout|buy|place order} button {does nothing|is greyed out|keeps spinning} on <device>
        {checkout|<step>} won't {load|accept my {address|postcode|phone number}|let me continue}{| on <device>}
        {how do I|where do I|can't find where to} {enter|apply|put} {a promo code|my gift card|the code \
            <code>|my points} {at checkout|on <step>}?
        the code <code> {says invalid|won't apply|disappears} {at checkout|when I pay|on <step>}
        {how can I|can I} {change|edit} the {shipping|billing} address {before I pay|on <step>|while checking out}?
        {can I|how do I} {check out|order|buy <T>} {as a guest|without an account|as a gift|with two addresses}?
    """,
    "total": """
        why {is {shipping|the tax|the total} so high|did {shipping|the tax|the total} change} {at checkout|on \
            <step>|in my cart}?
        the {total|price} {at checkout|in my cart} {doesn't match|is higher than} the {price on the page|<sale> \
            price}
        {it won't let me|I can't} {pick|select|choose} {express shipping|store pickup|gift wrap|<country>} {at \
            checkout|on <step>}
    """,
    "implicit": """
        {trying to buy|been trying to order} {<T>|<T> <vol>|<item_bare>} for {an hour|twenty minutes|days} and \
            {it keeps|the site keeps} {failing|crashing|logging me out}
        I {pressed|hit} {pay|place order} and {the page froze|nothing happened|got <error>}, {did it go \
            through|do I pay again|now what}?
        {did my order go through|was my order placed}? {no email|the page went blank|it just kept spinning}
        <error>{?|, help|. <device>}
    """,
}
