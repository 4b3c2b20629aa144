import { Button, Checkbox, Tooltip } from '@mantine/core';
import type { Permission } from '../api/types';
import { useMay } from '../app/hooks';
import classes from './Access.module.css';
import { byArea, switched } from './permissions';

type Props = {
  all: Permission[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
};

/** All permissions by area; one can be given only what one has. */
export function PermissionPicker({ all, chosen, onChange }: Props) {
  const may = useMay();
  const given = (names: string[], on: boolean) =>
    onChange(names.reduce((so, name) => switched(so, name, on, all), chosen));
  return (
    <>
      {byArea(all).map((area) => {
        const mine = area.permissions.filter((each) => may(each.name)).map((each) => each.name);
        const whole = mine.length > 0 && mine.every((name) => chosen.includes(name));
        return (
          <fieldset key={area.name} className={classes.area}>
            <legend>
              {area.name}
              <Button
                size="compact-xs"
                variant="subtle"
                disabled={mine.length === 0}
                aria-label={`${whole ? 'None' : 'All'} of ${area.name}`}
                onClick={() => given(mine, !whole)}
              >
                {whole ? 'None' : 'All'}
              </Button>
            </legend>
            <div className={classes.boxes}>
              {area.permissions.map((each) => (
                <Tooltip
                  key={each.name}
                  label="You do not have this permission yourself"
                  disabled={may(each.name)}
                >
                  <div>
                    <Checkbox
                      size="sm"
                      label={each.words}
                      description={each.name}
                      disabled={!may(each.name)}
                      checked={chosen.includes(each.name)}
                      onChange={(event) => given([each.name], event.currentTarget.checked)}
                    />
                  </div>
                </Tooltip>
              ))}
            </div>
          </fieldset>
        );
      })}
    </>
  );
}
