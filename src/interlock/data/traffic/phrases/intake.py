"""What refund-support tickets say, by the reason behind them. Data only."""

RULES = {
    "polite_open": """
        Hello,
        Hi,
        Hi there,
        Good morning,
        Dear support,
        Hey,
        Hello team,
        Good afternoon,
    """,
    "angry_open": """
        Seriously?
        This is ridiculous.
        I am so tired of this.
        WOW.
        Honestly what a joke.
        Are you kidding me.
        I'm furious.
        Worst shop ever.
        Unbelievable.
    """,
    "calm_close": """
        Thanks.
        Thank you for your time.
        No rush.
        Kind regards
        Let me know what you need from me.
        Best
        Appreciate it.
        Take your time.
    """,
    "angry_close": """
        Fix it.
        I expect an answer today.
        Do your job.
        Never again.
        I'll tell everyone I know.
        Answer me!!
        Enough already.
        I'm done being nice.
    """,
    "background": """
        I've been a customer for {years|three years|a long time}.
        The order number is <ono>.
        It was a {birthday|Christmas|wedding} present for <who>.
        I paid with <pay>.
        I ordered it {<time_ago>|during the <sale>}.
        I live in <country>.
        I also wrote from <device>.
        Your {chat|app|FAQ} wasn't clear.
        Last time everything {went|was} fine.
        My order had three books in it.
    """,
    "account_background": """
        I've been a customer for {years|three years|a long time}.
        I live in <country>.
        I'm writing from a new address because of this.
        I {haven't bought anything|haven't logged in} {since spring|in months}.
        Your {chat|app|phone line} {sent me here|wasn't clear}.
        My card is {still saved|linked} there.
        The last thing I bought was <item>.
        I changed my email password already.
    """,
    "thing": """
        <item>
        <item>
        my order
        order <ono>
        the parcel
    """,
    "window": """
        {six|seven|eight|ten|twelve} weeks
        {two|three|four} months
        {45|50|62|75|90} days
        half a year
    """,
}

TICKETS = {
    "damaged_package_exception": """
        {the|my} {box|parcel|package} {arrived|came|was delivered} {crushed|soaked|torn open|with a hole in \
            it|taped back together}, {and|so} {some books are wet|the books inside are ruined|I can't tell if \
            anything is missing}
        <item> came and <damage>, {and|but} {the portal says it isn't eligible|the form won't take photos|your \
            bot offered me a coupon}
        {the courier|<carrier>} {left|dropped} {the box|it} {in the rain|over the fence|at the wrong house} and \
            <damage>
        everything in {order <ono>|the parcel} is {wet|bent|broken}{: <item> and <item2>|, including a signed \
            edition|, about <money> worth of books}
        {half the|two} {books|volumes} in {my order|<ono>} are {mouldy|stained|cracked}{. I took photos|, and \
            the outer box is fine, which is odd|}
        there was {broken glass|a leaking bottle|ink everywhere|something sharp} in the box with <item>{, I cut \
            my hand|, please be careful with the return|}
        {the replacement|the second copy} of <item> {is damaged too|also came broken}: <damage>
        I signed for {the parcel|<item>} {before|and only later} {I saw|noticed} that <damage>
    """,
    "return_window_exception": """
        I {know|understand} {the 30 days are over|the return window closed|I'm past the deadline}, but {I was \
            in hospital|I was deployed|the gift was only opened yesterday|we had a death in the family|the \
            parcel sat at customs}{. could someone look at it|, is an exception possible}?
        it's been <window> since I bought <item>, {the seal is unbroken|it was never opened}{ and|, but} {I'd \
            like to send it back|can you still refund it}?
        {your site|the portal} {says|tells me} {return period expired|not eligible} for <item>, but {it arrived \
            three weeks late|I asked before the deadline|your colleague promised me more time}
        {can|could} {you|someone} {make an exception for|still take back} <item>? I bought it <window> ago{ and \
            <reason>|, the reason is <reason>|}
        I started the return of <item> {on time|in the window} but {<carrier> lost it|the label never came|your \
            page was down}, now it {says|shows} expired
        {was|I was} {abroad|ill|moving} for <window>, {so I missed|which is why I missed} the return date for <item>
        preorder {arrived|shipped} <window> late, so the {return|refund} window {ran out|was over} before {I \
            could read it|the event}
        {final sale|clearance} item, I know, but {<damage>|you sent the wrong edition}{, is there really no \
            way|, so the rule can't apply}?
    """,
    "account_takeover": """
        {someone|somebody} {changed|has changed} {my|the} {email|password|address|phone number} on {my|the} \
            account{ and it wasn't me|, I only saw the mail| last night}
        {there are|I see} {orders|two orders|figures worth <money>} {in|on} my account that I {did not|never} \
            {place|make|order}
        I got a {login code|password reset|receipt} I {didn't ask for|know nothing about}{, and now I can't log \
            in|, from <city>|}
        {my points were|my store credit was|my gift card balance was} spent on {something|an order} going to \
            <city>, {I live in|I'm in} <country>
        {a refund|money} for {<item>|order <ono>} went to {a card|an account} I don't {own|recognise}
        can't get into my account, {the email was swapped|it says the password was changed|my passkey was \
            removed} {on <weekday>|an hour ago|<time_ago>}
        {please lock my account|freeze everything}, {a new device|someone} in <city> {is|was} logged in
        {I shared my screen with|I gave a code to} someone who {said|claimed} they were {from your support|your \
            refund team}, {and|now} {my saved card was used|they returned my order to themselves}
        {there is|I noticed} a new {delivery address|saved card|authorized user} on {my profile|the account} \
            that {isn't|is not} mine
    """,
    "routine_delivery_status": """
        {where is|what's happening with|any news on} <thing>? {It was|It's} due {on <weekday>|<time_ago>}
        {tracking|the app|<carrier>} {has said|still says} <status_quoted> for <span>
        {when|what day} will <thing> {arrive|get to <city>|be delivered}?
        I {ordered|bought} <item> <time_ago> and {I'm waiting|it's not here yet|haven't seen it}
        {can|could} you {check|tell me} {where <thing> is|if <thing> has shipped}?
        {I'm checking on|following up on} {my refund's return parcel|<thing>}, the {label|tracking} {hasn't \
            moved|shows <status_quoted>}
        {is|will} <thing> {still coming|make it} {by <weekday>|this week|before the holiday}?
        which {carrier|courier} has <thing>, and {is there a link|can I pick it up}?
        {third|second} time {this week |}I {check|look}, still <status_quoted>, {when does it come|what is the \
            date now}?
    """,
    "return_policy_question": """
        {how long|how many days} do I have to {return|send back} {<item>|a book|a figure}{ if it's unopened|}?
        {what's|can you explain} {your|the} {return|refund|exchange} policy {on|for} <policy>?
        {do|would} I {get|receive} {cash|the money|store credit} back {for|when I return} {<item>|a gift|a \
            preorder}?
        who pays {the postage|return shipping} when {I change my mind|it's a gift|I live in <country>}?
        {can|could} I {exchange|swap} {<item>|a volume} for {another one|a different edition} {in store|by \
            mail|without the receipt}?
        are {<editions>|<merches>|preorders} {refundable|returnable}{ at all| once opened|}?
        how {long does a refund take|many days until a refund lands} {with|on} <pay>?
        do I {need|have to keep} the {box|shrink wrap|receipt} {to return|for a refund of} <item>?
        {hypothetically|just planning ahead}, if {a parcel arrives damaged|I miss the return window|<item> is \
            the wrong edition}, what {happens|are my options}?
        where {do|can} I {print|find} {the return label|the returns page|the return address}?
    """,
}
