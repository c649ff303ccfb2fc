-- All layouts of `contacts`. Made by goldsmith from this folder: edit the layouts, not this list.
{{ union_layouts('contacts', [
    ref('stg_google__contacts_0945abb7'),
    ref('stg_hubspot__contacts_23813df5'),
    ref('stg_mailchimp__contacts_76c10d01'),
    ref('stg_outlook_de__contacts_bc28968b'),
]) }}
