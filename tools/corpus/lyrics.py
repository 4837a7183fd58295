"""Our own words for the songs: a title, two lines for the verse, two for the chorus."""

TRAIN = """\
Amber Tide
  amber water, slow and wide / take my paper boats tonight
  carry me, amber tide / over the harbour light
Paper Lanterns
  we hung our lanterns in a row / and watched the little fires grow
  oh, burn a little longer / burn until the morning
Seventh Street
  walking down the seventh street / rain is keeping time with me
  hey now, don't you hurry / every road is ready
Copper Moon
  there is a copper moon above / it rolls along the railway line
  roll on, copper moon / I will be home by noon
Window Seat
  give me the window seat again / I want to see the river bend
  far away and nearer / now the view is clearer
Salt and Honey
  you bring the salt, I bring honey / nobody here has got money
  sing it low and sunny / salt and golden honey
Low Battery
  my radio is running low / it only plays a song we know
  don't let me go silent / hold me for a moment
Orchard Wall
  we climbed the broken orchard wall / and never thought that we could fall
  apples in the summer / falling like a drummer
Northern Line
  the northern line is late once more / I draw your name upon the door
  wait for me, wait for me / two more stations and I'm free
Silver Ladder
  lean a ladder on the sky / silver rungs and nowhere high
  climbing, I am climbing / hear the morning chiming
Kitchen Dance
  put the kettle on and dance / give the evening one more chance
  round and round the table / dance while we are able
Blue Umbrella
  under your blue umbrella / I told you all my troubles
  let it rain, let it rain / we will never be so dry again
Harvest Train
  bring the barley, bring the grain / load it on the harvest train
  whistle through the valley / whistle down my alley
Marble Stairs
  footsteps on the marble stairs / someone's humming, no one cares
  come on down to meet me / come along and greet me
Lighthouse Keeper
  lighthouse keeper, turn it round / ships are moving with no sound
  shine on me, shine on me / lead me to a quiet sea
Cinnamon
  cinnamon on winter bread / every word you never said
  warm me like a cinnamon / wake me like the morning sun
Gravel Road
  gravel road behind the mill / I remember and I will
  long ago, long ago / we were going very slow
Second Hand
  second hand and second cup / time is never giving up
  tick away, my sorrow / leave me with tomorrow
Electric Garden
  in the garden made of wire / all the roses are on fire
  glow, electric flower / give me all your power
Postcard
  send a postcard from the sea / with a stamp and poetry
  write it down and send it / love will never end it
River School
  teach me how the river goes / what the water really knows
  under, over, under / rolling like the thunder
Velvet Room
  meet me in the velvet room / where the paper lilies bloom
  nobody is leaving / everyone's believing
Half the Sky
  you hold half and I hold half / teach the weary sky to laugh
  lift it up together / any kind of weather
Wooden Horse
  ride away, my wooden horse / never mind the proper course
  faster now, faster now / we will get there anyhow
Neon Rain
  neon rain on empty cars / puddles full of little stars
  run with me, run with me / down the boulevard and free
Feather
  like a feather on the floor / waiting by an open door
  blow me where you want me / light enough to haunt me
Tin Roof
  hear it drumming on the tin / let the evening weather in
  oh the roof is singing / all the bells are ringing
Moving Day
  boxes piled against the wall / not a picture in the hall
  moving on, moving on / half of everything is gone
Old Piano
  there's a piano in the barn / wearing dust and yellow yarn
  play it for me, Mary / play it light and airy
Sleeper
  sleeper on the midnight bus / dreaming of the two of us
  don't wake up, don't wake up / moonlight in a paper cup
"""

VALID = """\
Granite
  I carved a letter into stone / and then I walked the ridge alone
  hard as winter granite / drifting like a planet
Market Day
  lemons, onions, loaves of rye / pigeons waiting in July
  buy me something yellow / said the little fellow
Undertow
  pull me out and pull me in / let the other side begin
  undertow, undertow / tell me what I ought to know
Telescope
  bring the telescope to bed / Jupiter is overhead
  look at me, look at me / tiny as a memory
"""

TEST = """\
Harbour Bell
  old bell, ring for the fishing men / ring them all back to shore again
  ring out loud, harbour bell / every story that you tell
Cardboard Crown
  king of nothing, cardboard crown / wave at people coming down
  who will be my jester / who will dance till Easter
Snow in April
  snow in April on my sleeve / no one told it when to leave
  melting in the sunlight / gone before the twilight
Compass
  my compass needle spins about / it cannot work the city out
  north is where you're staying / that is all it's saying
Fire Escape
  sitting on the fire escape / counting windows, sharing grapes
  higher than the traffic / ordinary magic
Juniper
  juniper and mountain thyme / we have miles and miles to climb
  breathe it in, juniper / everything is easier
"""


def parse(text):
    """(title, line, line, line, line) of each song in a text: a title, then two lines with two lines each."""
    rows = [row.strip() for row in text.splitlines()]
    return [
        (title, *verse.split(" / "), *chorus.split(" / "))
        for title, verse, chorus in zip(*[iter(rows)] * 3, strict=True)
    ]


def slug(title):
    """Folder name of a title: ``Amber Tide`` becomes ``amber_tide``."""
    return title.lower().replace(" ", "_")


LYRICS = {"train": parse(TRAIN), "valid": parse(VALID), "test": parse(TEST)}
