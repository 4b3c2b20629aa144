import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight } from '@mantine/spotlight';
import { IconLogout, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../app/hooks';
import { session } from '../app/services';
import { fullName } from '../contacts/naming';
import { useSearch } from '../contacts/queries';
import { Initials } from '../ui/Initials';
import { useRooms } from './rooms';

/** Ctrl/Cmd+K: rooms, contacts and commands by name. */
export function Palette() {
  const navigate = useNavigate();
  const rooms = useRooms();
  const may = useMay();
  const [query, setQuery] = useState('');
  const [settled] = useDebouncedValue(query.trim(), 120);
  const found = useSearch(settled, 7);
  // What was found for an earlier text would be what Enter opens.
  const current = settled !== '' && settled === query.trim() && !found.isPlaceholderData;
  const contacts = current ? (found.data?.data ?? []) : [];

  const commands = [
    ...rooms.map((room) => ({ label: `Go to ${room.label}`, icon: room.icon, run: () => navigate(room.to) })),
    may('contacts:write') && {
      label: 'New contact',
      icon: IconPlus,
      run: () => navigate('/contacts?new=1'),
    },
    may('contacts:import') && {
      label: 'Import a file',
      icon: IconPlus,
      run: () => navigate('/imports/new'),
    },
    { label: 'Sign out', icon: IconLogout, run: () => void session.logout(false) },
  ]
    .filter((command) => command !== false)
    .filter((command) => command.label.toLowerCase().includes(query.trim().toLowerCase()));

  return (
    <Spotlight.Root
      attributes={{ content: { 'aria-label': 'Find' } }}
      query={query}
      onQueryChange={setQuery}
      shortcut="mod + K"
      clearQueryOnClose
      overlayProps={{ blur: 1, backgroundOpacity: 0.35 }}
      maxHeight={420}
      scrollable
    >
      <Spotlight.Search
        placeholder="Find a contact or a command"
        aria-label="Find a contact or a command"
        leftSection={<IconSearch size={18} stroke={1.7} />}
      />
      <Spotlight.ActionsList>
        {contacts.length > 0 && (
          <Spotlight.ActionsGroup label="Contacts">
            {contacts.map((contact) => (
              <Spotlight.Action
                key={contact.id}
                label={fullName(contact)}
                description={contact.company || contact.emails[0]?.address}
                leftSection={<Initials name={fullName(contact)} size={28} />}
                onClick={() => navigate(`/contacts/${contact.id}`)}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {commands.length > 0 && (
          <Spotlight.ActionsGroup label="Commands">
            {commands.map((command) => (
              <Spotlight.Action
                key={command.label}
                label={command.label}
                leftSection={<command.icon size={18} stroke={1.7} />}
                onClick={command.run}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {contacts.length + commands.length === 0 && (
          <Spotlight.Empty>{found.isFetching ? 'Searching…' : 'Nothing found'}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
