"""The raw words that titles, people, publishers and characters are made of. Knows no grammar.

The world is invented; the few real titles are names only, with a genre so that talk about them makes sense.
"""

from __future__ import annotations


def _words(block: str) -> list[str]:
    return block.split()


def _phrases(block: str) -> list[str]:
    return [item.strip() for line in block.strip().splitlines() for item in line.split("|") if item.strip()]


ADJECTIVES = _words("""
Crimson Hollow Paper Silent Gilded Wandering Scarlet Midnight Velvet Iron Salt Borrowed Seventh Glass Drowning
Northern Restless Clockwork Moonlit Ashen Emerald Forgotten Last Thirteenth Lonely Electric Winter Marble Feral
Second Crooked Amber Cobalt Faded Radiant Sleeping Broken Wild Phantom Cursed Invisible Tidal Hungry Velveteen
Sunken Violet Burning Frozen Weightless Nameless Backwards Ordinary Rusted Tangerine Ivory Starless Humble
""")
NOUNS = _words("""
Lantern Orchard Requiem Harbor Parade Compass Garden Tide Marionette Alchemy Chapel Sparrow Citadel Mirror Engine
Lullaby Labyrinth Banquet Corridor Serpent Observatory Pilgrim Thunder Umbrella Carnival Archive Needle Fang
Meridian Cathedral Blossom Monsoon Kiln Tower Violin Ferry Scar Beacon Waltz Greenhouse Fox Throne Ledger Anchor
Kite Locket Sonata Furnace Wolf Reef Scripture Mansion Cradle Petal Dynasty Arcade Magpie Snowfall Gallows Teahouse
""")
PLACES = _phrases("""
Tsukimori|Kamishiro|Aozora|Hoshino|Karasumachi|Yorunagi|Minatogawa|Shirogane|Umezawa|Kurohama|Asagiri|Nagisa
Amagumo|Tachibana|Hinode|Mizusawa|Verdane|Saltmere|Port Sorrow|Ninth Ward|Sector Zero|Lower Akabane|Tower Five
""")
JOBS = _phrases("""
Undertaker|Pastry Chef|Royal Librarian|Lighthouse Keeper|Swordsmith|Tax Collector|Court Physician|Florist|Exorcist
Vending Clerk|Dungeon Janitor|Dragon Groomer|Tea Master|Detective|Ghostwriter|Beast Tamer|Night Nurse|Map Maker
Demon Accountant|Potion Seller|Shogi Player|Idol Manager|Apothecary|Locksmith|Substitute Teacher|Puppet Maker
""")
CREATURES = _phrases("""
Fox Spirit|Vampire|Kappa|Demon Lord|Ghost|Mermaid|Werewolf|Tanuki|Android|Dragon|Shinigami|Oni|Witch|Slime|Yokai
""")
RELATIONS = _phrases("""
Landlady|Childhood Friend|Boss|Homeroom Teacher|Little Brother|Roommate|Neighbor|Ex-Husband|Student Council President
Rival|Bodyguard|Fiancée|Grandmother|Tutor
""")
WISHES = _phrases("""
Open a Café|Sleep In|Raise a Dragon|Retire Early|Quit the Party|Grow Vegetables|Live Quietly|Win the Festival
Eat Lunch Alone|Solve One Case|Cook for the Hero|Learn to Knit|Avoid the Prince|Run a Bathhouse|Go Home
""")
ROMAJI = _words("""
Kaze Yoru Hoshi Tsuki Kage Hana Umi Sora Kumo Ame Yuki Hikari Yami Kagami Tsurugi Kotoba Namida Kemono Tori Hibana
Nagisa Mori Kawa Yume Ito Tamashii Kaminari Shiro Koe Sakana Kitsune Kujira Fune Niji Machi Ochiba
""")
GIVEN = _words("""
Haru Mio Ren Sora Aoi Kaito Yuna Riku Hina Souta Emi Tsubasa Nao Kiyo Shun Airi Makoto Ritsu Chiaki Jun Koharu
Taiga Rei Sae Minato Kanade Itsuki Noa Fumi Daichi Tomo Yori Asahi Mei Kazuha Shion Ema Ryo Hotaru Satsuki
""")
FAMILY = _words("""
Kuroda Hayashibe Minazuki Shirakawa Tendou Asakura Komori Nishigami Ogawara Fujimoto Kisaragi Hanamura Sagiri
Tsuchiya Wakamiya Yanagita Aizome Inukai Kamogawa Murasame Nagumo Otonashi Ruiga Sendagaya Toyokawa Uehata
""")
PUBLISHERS = _phrases("""
Moonpress|Kuroneko House|Paper Lantern Books|Tidewater Comics|Hanabi Editions|Seventh Panel|Inkwell East
Red Torii Press|Yonkoma Works|Harbor & Pine|Gingko Media|Blue Fox Comics|Starline Manga|Nightingale Print
""")
SYLLABLES = _words("""
ka ri na to mi ra shi no ve lu sa re ky zen ha ru ga mo el ia nor ta yu sen ko vi ar is tha
""")

# name | genre | how fans shorten it
REAL = [
    line.strip()
    for line in """
Naruto|action|
One Piece|adventure|
Bleach|action|
Berserk|dark fantasy|
Vagabond|samurai|
Vinland Saga|historical|
Chainsaw Man|horror|CSM
Jujutsu Kaisen|action|JJK
Demon Slayer|action|KnY
Spy x Family|comedy|SxF
My Hero Academia|action|MHA
Attack on Titan|dark fantasy|AoT
Fullmetal Alchemist|adventure|FMA
Death Note|thriller|
Monster|thriller|
20th Century Boys|thriller|20CB
Fruits Basket|romance|Furuba
Nana|drama|
Horimiya|romance|
Kaguya-sama|romance|
Blue Period|drama|
Haikyu!!|sports|
Slam Dunk|sports|
Blue Lock|sports|
Dorohedoro|dark fantasy|
Tokyo Ghoul|horror|TG
Uzumaki|horror|
Junji Ito's short stories|horror|
Frieren|fantasy|
Delicious in Dungeon|fantasy|Dunmeshi
Witch Hat Atelier|fantasy|WHA
Dandadan|comedy|DDD
Oshi no Ko|drama|ONK
A Silent Voice|drama|
Sailor Moon|magical girl|
Cardcaptor Sakura|magical girl|CCS
Yotsuba&!|slice-of-life|Yotsuba
Barakamon|slice-of-life|
Laid-Back Camp|slice-of-life|Yuru Camp
Komi Can't Communicate|comedy|Komi-san
Golden Kamuy|historical|GK
Kingdom|historical|
Hunter x Hunter|adventure|HxH
JoJo's Bizarre Adventure|action|JoJo
Mob Psycho 100|comedy|MP100
One-Punch Man|comedy|OPM
Dragon Ball|action|DB
Ranma 1/2|comedy|
Inuyasha|fantasy|
Akira|sci-fi|
Ghost in the Shell|sci-fi|GitS
Pluto|sci-fi|
Land of the Lustrous|sci-fi|
Planetes|sci-fi|
Made in Abyss|dark fantasy|MiA
The Promised Neverland|thriller|TPN
Dr. Stone|sci-fi|
Black Clover|fantasy|
Fairy Tail|fantasy|
Skip and Loafer|slice-of-life|
""".strip().splitlines()
]
