"""Japanese as bilingual customers mix it in: clauses by intent, greetings, tags, single words. Data only."""

# a whole Japanese request; the customer may add English around it
CLAUSES = {
    "product_discovery": """
        {<genre_ja>の|<theme_ja>の}漫画{はありますか|を探してます|ありますか？}
        <T>みたいな漫画{ありますか|置いてますか}
        <genre_ja> no manga {arimasu ka|sagashitemasu}
        {新刊|限定版|画集}を{見せて|見たいです}
        <T> mitai na manga, {arimasu ka|oitemasu ka}?
    """,
    "recommendation": """
        {次は|<T>の次は}何を読めばいいですか
        おすすめ{の<genre_ja>漫画|}{は何ですか|教えてください|ありますか}
        <genre_ja> no osusume {arimasu ka|onegaishimasu|oshiete kudasai}
        <T>が好きなら{何がいい|どれがおすすめ}ですか
        {tsugi wa|<T> no tsugi wa} nani o yomeba ii desu ka
    """,
    "product_question": """
        <T>{の<n>巻|}は{もう出てますか|在庫ありますか|いつ出ますか}
        <T>は完結してますか
        <T> wa {nan-kan made|kanketsu shitemasu ka|zenbu de nan-kan desu ka}
        <T>の{<n>巻|限定版}は英語ですか
        <T> <n>-kan, {zaiko arimasu ka|itsu demasu ka}
    """,
    "faq": """
        {日本|<country>}に{発送|配送}できますか
        {送料|返品のルール|支払い方法}{を教えてください|はどうなってますか}
        soryo wa ikura desu ka
        {ポイント|予約}の{仕組み|使い方}が知りたいです
        nihon kara mo kaemasu ka
    """,
    "order_tracking": """
        {注文した<T>|荷物|<ono>}{はどこですか|がまだ届きません|いつ届きますか}
        {nimotsu|chumon} ga mada {todokimasen|konai desu}
        {注文|予約}の状況を{教えてください|確認したいです}
        <ono> {wa doko desu ka|itsu todokimasu ka}
    """,
    "return_request": """
        {届いた本|<T>|<item_bare>}{が破れてました|を返品したいです|が違う巻でした}
        {henpin|koukan} {shitai desu|dekimasu ka}
        {返金|交換}{してもらえますか|をお願いします|はできますか}
        {注文|予約}をキャンセルしたいです
    """,
    "promotion": """
        {セール|割引}{はいつですか|は終わりましたか|ありますか}
        {クーポン|コード<code>}{使えますか|はありますか}
        <T> wa sale ni narimasu ka
        {seeru|waribiki} wa itsu made desu ka
    """,
    "checkout_help": """
        {支払い|決済|カード}{ができません|でエラーが出ます|が通りません}
        kaado ga {tsukaemasen|toorimasen}
        カートに{入りません|入れられない}
        {shiharai|kessai} de error ga demasu
    """,
    "escalation": """
        {担当者|人間|責任者}と{話したい|話させて}です
        {何回|三回}も{連絡|聞い}てるのに返事がないです
        ningen to hanashitai desu
        もういい加減にしてください
    """,
    "chitchat": """
        {ありがとう|ありがとうございます|arigatou|arigatou gozaimasu}{！|}
        <T>{最高|やばい|面白すぎる|泣いた}
        {おはよう|こんにちは|こんばんは|ohayou|konnichiwa}{！|}
        <T> {saikou|yabai|omoshirokatta} {desu|ne|}
        {お疲れ様です|otsukaresama}
    """,
}

OPENERS = """
    すみません、
    sumimasen,
    あの、
    ano,
    こんにちは、
    konnichiwa,
    ちょっと聞きたいんですが、
    chotto kikitai n desu kedo,
    ねえ、
    お世話になってます、
    初めまして、
"""

CLOSERS = """
    お願いします
    onegaishimasu
    よろしくお願いします
    yoroshiku
    ありがとう！
    arigatou!
    教えてください
    oshiete kudasai
    助かります
    ですよね
    desu yo ne
    かな
    kana
    お願い〜
    (日本語でも大丈夫です)
    nihongo demo ok desu
"""

# English words and what a bilingual customer may write instead
WORDS: dict[str, tuple[str, ...]] = {
    "manga": ("漫画", "マンガ"),
    "please": ("onegai", "お願い", "kudasai", "ください"),
    "thanks": ("arigatou", "ありがとう", "どうも"),
    "thank you": ("arigatou", "ありがとうございます"),
    "recommend": ("osusume", "おすすめ"),
    "recommendations": ("osusume", "おすすめ"),
    "suggest": ("osusume", "おすすめ"),
    "order": ("chumon", "注文"),
    "package": ("nimotsu", "荷物"),
    "parcel": ("nimotsu", "荷物"),
    "return": ("henpin", "返品"),
    "refund": ("henkin", "返金"),
    "exchange": ("koukan", "交換"),
    "box set": ("ボックスセット", "全巻セット", "zenkan set"),
    "figure": ("フィギュア", "figyua"),
    "figures": ("フィギュア",),
    "author": ("sensei", "作者"),
    "cute": ("kawaii", "かわいい"),
    "scary": ("kowai", "怖い"),
    "creepy": ("kowai", "怖い"),
    "funny": ("omoshiroi", "面白い"),
    "horror": ("ホラー", "kowai"),
    "romance": ("恋愛", "ren'ai"),
    "comedy": ("ギャグ", "お笑い系"),
    "sports": ("スポーツ",),
    "fantasy": ("ファンタジー",),
    "food": ("ごはん", "gohan"),
    "cats": ("猫", "neko"),
    "in stock": ("在庫あり", "zaiko ari"),
    "stock": ("在庫", "zaiko"),
    "sale": ("セール", "セール中"),
    "discount": ("割引", "waribiki"),
    "shipping": ("送料", "発送", "haisou"),
    "delivery": ("配達", "haisou"),
    "preorder": ("予約", "yoyaku"),
    "new": ("新しい", "atarashii"),
    "really": ("hontou ni", "本当に", "めっちゃ"),
    "very": ("totemo", "めっちゃ"),
    "friend": ("tomodachi", "友達"),
    "book": ("hon", "本"),
    "series": ("シリーズ",),
    "cover": ("表紙", "hyoushi"),
    "finished": ("完結", "kanketsu"),
    "damaged": ("ボロボロ", "boroboro"),
    "today": ("kyou", "今日"),
    "yesterday": ("kinou", "昨日"),
    "last week": ("先週", "senshuu"),
    "cancel": ("キャンセル",),
    "help": ("tasukete", "助けて"),
    "when": ("itsu", "いつ"),
    "where": ("doko", "どこ"),
    "person": ("人間", "hito"),
    "human": ("人間", "ningen"),
    "sorry": ("gomen", "ごめん", "すみません"),
    "hello": ("konnichiwa", "こんにちは"),
    "hi": ("konnichiwa", "やあ", "どうも"),
    "good morning": ("ohayou", "おはよう"),
    "good evening": ("konbanwa", "こんばんは"),
    "character": ("キャラ", "kyara"),
    "ending": ("最終回", "saishuukai"),
    "limited": ("限定", "gentei"),
    "digital": ("電子版", "denshiban"),
    "paperback": ("単行本", "bunko"),
    "artbook": ("画集", "gashuu"),
    "light novel": ("ラノベ", "ranobe"),
    "store": ("お店", "omise"),
    "shop": ("お店", "omise"),
    "payment": ("支払い", "shiharai"),
    "card": ("カード", "kaado"),
    "gift": ("プレゼント", "purezento"),
    "volume": ("巻",),
}

GENRES = {
    "action": "アクション",
    "adventure": "冒険",
    "horror": "ホラー",
    "romance": "恋愛",
    "comedy": "ギャグ",
    "drama": "ドラマ",
    "fantasy": "ファンタジー",
    "dark fantasy": "ダークファンタジー",
    "sci-fi": "SF",
    "thriller": "サスペンス",
    "sports": "スポーツ",
    "historical": "歴史",
    "samurai": "侍",
    "slice-of-life": "日常系",
    "magical girl": "魔法少女",
    "mystery": "ミステリー",
    "mecha": "ロボット",
    "isekai": "異世界",
    "cooking": "料理",
    "music": "音楽",
    "supernatural": "オカルト",
    "school": "学園",
    "yuri": "百合",
    "BL": "BL",
    "psychological": "心理",
}
THEMES = ("時間旅行", "猫", "料理", "復讐", "妖怪", "探偵", "学園生活", "悪役令嬢", "吸血鬼", "バンド", "将棋", "登山")
