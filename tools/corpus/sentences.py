"""Our own sentences for the talkers. No sentence of one split is spoken in another."""

TRAIN = """The baker leaves two warm loaves on our doorstep.
Nobody remembers who painted the bridge green.
Please put the heavy boxes under the table.
My sister keeps a jar of buttons by her bed.
The ferry was late because of the thick fog.
He counted seven swallows on the wire.
We can fix the chair with a little glue.
There is more tea in the blue pot.
Her answer was short, but it was kind.
The clock in the station runs four minutes fast.
I left my gloves on the seat of the tram.
A small dog followed us all the way home.
They planted beans along the southern fence.
The judge asked him to speak more slowly.
Every morning she sweeps the front steps.
Our teacher drew a circle with one quick move.
The soup needs salt and a bit of lemon.
Turn left after the second traffic light.
The library closes early on Wednesday.
He whistles when he thinks about numbers.
The old map shows a village in the lake.
I would rather walk than wait for a bus.
Somebody has borrowed the long ladder again.
The children built a castle out of chairs.
Snow covered the tracks before midnight.
She folded the letter and said nothing.
The engine coughed twice and then it stopped.
We found a key inside the piano.
Their garden smells of mint and wet earth.
You should hear him play the cello.
The train to the coast leaves at nine.
I have never seen such a yellow moon.
The painter mixed a colour without a name.
Bring a warm coat and something to read.
The puppet lost a shoe behind the curtain.
He sold his boat to a man from the islands.
The bread is still too hot to cut.
Can you hold this end of the rope?
The river rose by a metre in one night.
A postcard arrived with no name on it.
They argued about the shape of the window.
The cat sleeps on the warmest machine.
My grandfather mended clocks and radios.
The path is steep, but the view is wide.
She answered the phone in three languages.
We ate plums in the shade of the wall.
The lamp flickers whenever a truck goes by.
He writes his shopping lists in verse.
The museum has a room full of keys.
Do not step on the freshly painted floor.""".split("\n")

VALID = """The glass was thin and rang like a bell.
Yesterday the wind blew a hat over our roof.
Four brown hens crossed the empty yard.
He promised to return the drill by Friday.
The cellar is cool even in August.
I can smell rain on the dry road.
Her bicycle has a basket full of apples.
The choir rehearses behind the fire station.
We measured the room with a piece of string.
They named the kitten after a king.
Close the gate, or the goats will leave.
The actor forgot his line and smiled.
A spider lives above the kitchen door.
The ice on the pond is not yet safe.
She sharpened nine pencils before the test.
The miller's house stands empty in winter.""".split("\n")

TEST = """A tall ship entered the bay at dawn.
The mayor opened the new bridge on foot.
His pockets were full of string and stones.
We heard an owl above the quiet camp.
The violin was older than the house.
Nine people shared one orange umbrella.
The printer jammed on the final page.
She taught her parrot to ask for tea.
The road bends twice before the farm.
I dreamed about a lift without a door.
The cook dropped a spoon and began to laugh.
Leave your muddy boots on the porch.
The stars look closer from this hill.
He repaired the kite with yellow tape.
The meeting ended sooner than we hoped.
A green light blinked across the valley.
Those curtains were made from an old sail.
The nurse drew a tiny heart on the cast.
Our neighbour grows pumpkins on the roof.
You can borrow my umbrella until Monday.
The whistle of the kettle woke the baby.
They carried the mirror very carefully.
The coin rolled under the wooden stage.
Somewhere a door was closing in the dark.""".split("\n")

SENTENCES = {"train": TRAIN, "valid": VALID, "test": TEST}

# Recorded people say what they were recorded saying: {folder: {text: prompt}}. Chosen from about 100 prompts each of
# 2.2 to 4.2 s without a pause over 0.22 s inside; those that say least of telephones.
PROMPTS = {
    "it_IT_m_Carlo": {
        "Le donnole hanno mangiato il nostro sistema telefonico.": "tt-weasels",
        "Prego rimanere in linea mentre provo quell'interno.": "transfer",
        "Sono spiacente, ma non so chi abbia mandato questo messaggio.": "vm-nonumber",
        "Attualmente sei l'unica persona in questa conferenza.": "conf-onlyperson",
    },
    "ru_RU_f_IvrvoiceRU": {
        "Нашу телефонную систему съели совы.": "tt-weasels",
        "Пожалуйста, проверьте номер и наберите еще раз.": "check-number-dial-again",
        "В данный момент никто не может принять Ваш звонок.": "vm-nobodyavail",
        "Выбранная запись отсутствует в быстром наборе.": "speed-dial-empty",
    },
}
