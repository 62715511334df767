"""The words a manga shop's customers talk with: slot name to the values it may take. Knows no sentence."""

from __future__ import annotations


def _list(block: str) -> tuple[str, ...]:
    return tuple(item.strip() for line in block.strip().splitlines() for item in line.split("|") if item.strip())


GENRES = _list("""
action|adventure|horror|romance|comedy|drama|fantasy|dark fantasy|sci-fi|thriller|sports|historical|samurai
slice-of-life|magical girl|mystery|mecha|isekai|cooking|music|supernatural|school|yuri|BL|psychological
""")

# words a newcomer would not know; a row that uses one is tagged jargon
JARGON = _list("""
seinen|josei|shounen|shoujo|tankobon|tankoubon|omnibus|doujin|doujinshi|one-shot|isekai|mangaka|OVA|obi strip|obi
kanzenban|bunko|raws|iyashikei|nakige|yonkoma|artbook|dust jacket|2-in-1|3-in-1|VIZBIG|yuri|BL|otome|tsundere
bishounen|kuudere|chuunibyou|nendoroid|dakimakura|simulpub|scanlation|B-side cover|slipcase|yandere|gekiga
""")

SLOTS: dict[str, tuple[str, ...]] = {
    "demo": _list("seinen|josei|shounen|shoujo|kids'|all-ages|seinen|shounen|iyashikei|gekiga"),
    "theme": _list("""
time loops|found family|baking|high school band life|revenge|office romance|ghost hunting|chess|shogi|volleyball
boxing|survival games|reincarnation|time travel|memory loss|haunted houses|political intrigue|cats|street food
single parents|post-apocalyptic road trips|vampires|idol culture|mountain climbing|art school|a magic academy
space pirates|detectives|a doomed romance|food and travel|rival swordsmen|witches|yokai|mental health|grief
childhood friends|fake dating|enemies to lovers|a villainess|body horror|cosmic horror|serial killers|farming
deep sea exploration|medieval court life|the Meiji era|World War II|martial arts tournaments|racing|astronauts
necromancy|demon contracts|a cursed village|dungeon crawling|tea ceremony|working in a bookshop|motorcycles
"""),
    "trait": _list("""
dark|wholesome|funny|gory|slow-paced|fast-paced|emotional|light-hearted|weird|cozy|heartbreaking|grounded|creepy
short|long|mature|clean|violent|philosophical|romantic|bleak|uplifting|complex|easygoing
"""),
    "more_trait": _list("""
darker|funnier|less gory|more wholesome|more mature|less fan-servicey|shorter|more romantic|a bit creepier|cozier
less depressing|more serious|lighter|a bit weirder|more grounded|less wordy|more emotional|faster paced
"""),
    "lead": _list("""
a female lead|an adult cast|a grumpy mentor|a morally grey hero|an unreliable narrator|no romance at all|a happy ending
an overpowered main character|a small cast|a really good villain|gorgeous art|proper character growth
a slow burn romance|twins|a talking cat|an older protagonist|a disabled lead|lots of plot twists
"""),
    "plot": _list("""
a girl inherits a haunted inn|two brothers share one body|a boy can hear what swords are thinking
everyone in town forgets the same day|a retired assassin opens a bakery|the moon is slowly falling
a student wakes up as the villain of her own novel|a doctor treats monsters at night
a chess prodigy plays against ghosts|the whole class gets trapped in a theme park
a detective can only remember things for an hour|a widow adopts a dragon|the hero quits in chapter one
some kid trades his shadow for a sword|a train never stops and nobody knows why
a librarian eats stories|they climb a tower that grows every night|the robot thinks it's a priest
"""),
    "detail": _list("""
the cover was mostly red|it had a fox mask on the cover|the main character had white hair|the art was super detailed
I think it was from the nineties|the title had "moon" in it|it was maybe five volumes|there was a one-eyed cat
it was published by a small press|the spine was black|a friend lent it to me in college|it had a green spine
"""),
    "edition": _list("""
box set|omnibus|deluxe hardcover|collector's edition|paperback|hardcover|light novel|artbook|3-in-1 edition
Japanese edition|special edition|digital edition|first printing|anniversary edition|kanzenban
"""),
    "editions": _list("""
box sets|omnibus editions|deluxe hardcovers|collector's editions|paperbacks|light novels|artbooks|3-in-1 volumes
Japanese editions|special editions|signed copies|first printings|second-hand copies|doujinshi|one-shots
"""),
    "merch": _list("""
acrylic stand|wall scroll|plush|figure|keychain|poster|tote bag|T-shirt|enamel pin|art print|mug|hoodie
nendoroid|phone charm|sticker sheet|calendar|bookmark set|cosplay prop
"""),
    "merches": _list("""
acrylic stands|wall scrolls|plushies|figures|keychains|posters|tote bags|T-shirts|enamel pins|art prints|mugs
nendoroids|phone charms|sticker sheets|calendars|hoodies
"""),
    "feature": _list("""
color pages|a dust jacket|a slipcase|a fold-out poster|bonus chapters|translation notes|the obi strip|a ribbon bookmark
an author interview|the original cover art|the short stories|honorifics|a character guide|the epilogue chapter
"""),
    "book_damage": _list("""
the corner is crushed|the spine is cracked|the cover is torn|pages are stuck together|half the pages are upside down
there's water damage|the slipcase is dented|a chunk of pages is missing|the print is blurry on some pages
the dust jacket is ripped|it smells like smoke|the box was open|the binding is coming apart|the shrink wrap was gone
there's a huge crease on the cover|the first chapter is printed twice|the back cover is missing
"""),
    "merch_damage": _list("""
the box is crushed|it's scratched all over|a piece is snapped off|it's bent|the print is smudged|the seam is open
the paint is chipped|it came in the wrong color|the packaging was open|it smells like smoke|there's a stain on it
"""),
    "reason": _list("""
I already own it|I ordered the wrong edition|it was a gift and they have it|it's in Japanese and I can't read it
it's not what I expected|I got two by accident|I found it cheaper|my kid picked the wrong one|it arrived too late
I changed my mind|it's too graphic for my son|the size is wrong|I meant to get the omnibus|I just don't like it
"""),
    "city": _list("""
Osaka|Leeds|Toronto|Austin|Lisbon|Manila|Melbourne|Berlin|Chicago|Lyon|Seattle|Dublin|Kyoto|Utrecht|Denver|Oslo
Glasgow|Monterrey|Singapore|Warsaw|Fresno|Halifax|Brisbane|Milan
"""),
    "country": _list("""
Canada|Brazil|the UK|Germany|Australia|Mexico|the Philippines|Ireland|Poland|Singapore|Norway|New Zealand|Japan
Portugal|Chile|South Africa|the Netherlands|Spain|Italy|India|Malaysia|Puerto Rico|Hawaii|Alaska
"""),
    "carrier": _list("UPS|FedEx|USPS|DHL|the post office|Royal Mail|the courier|Canada Post|Yamato|the delivery guy"),
    "pay": _list("PayPal|Apple Pay|Google Pay|Visa|a debit card|Amex|Klarna|a gift card|Mastercard|bank transfer|JCB"),
    "my_pay": _list("""
my card|PayPal|Apple Pay|my debit card|my Visa|Google Pay|my gift card|my Amex|Klarna|the store credit|my bank card
"""),
    "error": _list("""
payment declined|something went wrong|session expired|invalid postal code|address not recognised|error 402|error 500
card not supported|item no longer available|verification failed|please try again later|3DS failed
"""),
    "step": _list("""
the payment page|the address form|the review step|the last step|the shipping options|the card details|the confirm page
"""),
    "device": _list("my phone|the app|my laptop|Firefox|Safari|Chrome|the website|my iPad|the mobile site|Android"),
    "who": _list("""
my niece|my nephew|my little brother|my girlfriend|my boyfriend|my son|my daughter|my best friend|my husband|my wife
my roommate|my cousin|my dad|a coworker|my sister|a friend from work|my grandson|my mom|my partner|my students
"""),
    "weekday": _list("Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"),
    "time_ago": _list("""
two days ago|three days ago|last week|a week ago|ten days ago|two weeks ago|yesterday|on Monday|last Friday|on Tuesday
last month|almost a month ago|five days ago|the other day|over the weekend|on the 3rd|on the 12th
"""),
    "by_when": _list("""
before Friday|by the weekend|in time for a birthday|before I travel|by the 20th|before the con|by next week|this week
before the end of the month|by Saturday|before school starts
"""),
    "span": _list("two days|three days|a week|ten days|two weeks|almost a month|four days|nine days|a while|ages"),
    "times": _list("twice|three times|four times|five times|like ten times|several times|for the third time"),
    "status": _list("""
label created|in transit|out for delivery|processing|shipped|preparing your order|arrived at facility|delivered|pending
awaiting pickup|held at customs|on hold|packed
"""),
    "policy": _list("""
returns|preorders|gift cards|reward points|international shipping|store pickup|used manga|damaged items|gift wrapping
student discounts|price matching|back orders|exchanges|digital purchases|subscriptions|membership|pre-release copies
"""),
    "sale": _list("""
summer sale|holiday sale|weekend sale|clearance|buy 2 get 1|con weekend deal|flash sale|spring cleaning sale
members' sale|publisher sale|Black Friday deal|back to school promo|box set week
"""),
    "con": _list("""
Anime Expo|Comiket|AnimeNYC|Otakon|MCM|Sakura-Con|Japan Expo|the con|Crunch Weekend|Anime North|the manga fair
"""),
    "feeling": _list("""
I'm still crying|my heart can't take it|what an ending|no thoughts, just pain|I need to lie down|I can't stop smiling
what a ride|I was NOT ready|I'm obsessed|it ruined my week|I stayed up till 4|I laughed so hard
"""),
    "opinion": _list("""
peak fiction|overrated if you ask me|so good it hurts|the best thing I read this year|a masterpiece|kind of mid
my comfort read|criminally underrated|a bit slow but lovely|the reason I got into manga|better than the anime
"""),
    "chapter_word": _list("chapter|arc|volume|book|instalment"),
    "place_bought": _list("another store|a con|my local shop|Amazon|a garage sale|Japan|the library|a friend"),
    "money": _list("$10|$15|$20|$25|$30|$40|$50|$60|$75|$100|20 bucks|30 euros|£20|£30|50 dollars|a tenner"),
    "age": _list("8|9|10|11|12|13|14|15|16|a ten-year-old|7|teenagers|younger kids"),
    "kid_age": _list(
        "a 9-year-old|a 10-year-old|a 12-year-old|a 14-year-old|an 8-year-old|a teenager|a 13-year-old|an 11-year-old"
    ),
    "person_type": _list("""
a total beginner|someone who never reads manga|someone who only watches anime|an adult reader|a reluctant reader
someone who hates cliffhangers|someone who cries easily|a history nerd|a D&D player|someone with no patience
"""),
}

# slang that customers start to use only when a slang drift begins, by the plain words it replaces
NEW_SLANG: dict[str, tuple[str, ...]] = {
    "manga": ("inkies", "panelz", "mango"),
    "series": ("runs", "sagas fr"),
    "recommend": ("plug me", "feed me"),
    "order": ("haul", "dropbox"),
    "package": ("bento", "haulie"),
    "volume": ("brick", "tank"),
    "vol": ("brick", "tank"),
    "good": ("glazing", "bussin", "certified"),
    "discount": ("snip", "dippy"),
    "sale": ("dip week", "snip day"),
    "refund": ("undo", "clawback"),
    "return": ("boomerang", "yeet back"),
    "checkout": ("the till", "cashgate"),
    "question": ("q drop", "quizzy"),
    "really": ("maxxing", "lowkey deadass"),
    "thanks": ("tyvmaxx", "bless up"),
    "help": ("clutch", "assist me"),
    "delivery": ("drop", "touchdown"),
    "shipping": ("yeet cost", "drop fee"),
    "looking": ("hunting", "scouting"),
    "finished": ("speedran", "inhaled"),
    "buy": ("cop", "snag"),
}
NEW_TAILS = ("no cappuccino", "its giving isekai", "fr fr on vol 1", "mid-core", "shelfmaxxing", "certified ink")
