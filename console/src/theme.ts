import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const petrol: MantineColorsTuple = [
  '#e8f6f8',
  '#d0eaee',
  '#a0d5dd',
  '#6cbfca',
  '#4bb2c0',
  '#2a9fb0',
  '#0f7d90',
  '#0b6e7f',
  '#095c6a',
  '#064854',
];

const red: MantineColorsTuple = [
  '#fdf0ef',
  '#fadcd9',
  '#f4b8b3',
  '#ee938b',
  '#e8736a',
  '#dd5449',
  '#c9372c',
  '#b3261e',
  '#931d16',
  '#761410',
];

const gray: MantineColorsTuple = [
  '#f6f7f7',
  '#eff1f1',
  '#e4e7e8',
  '#d3d8d9',
  '#b3babc',
  '#8d9699',
  '#626c70',
  '#4b5458',
  '#2f3639',
  '#1b2022',
];

const dark: MantineColorsTuple = [
  '#dbe0e1',
  '#b9c1c4',
  '#98a3a7',
  '#6b767b',
  '#384145',
  '#2a3135',
  '#212729',
  '#181d1f',
  '#111516',
  '#0d1011',
];

export const theme = createTheme({
  colors: { petrol, red, gray, dark },
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 6 },
  black: '#1b2022',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '12px', sm: '13.5px', md: '15px', lg: '17px', xl: '20px' },
  headings: {
    fontWeight: '620',
    sizes: {
      h1: { fontSize: '20px', lineHeight: '1.3' },
      h2: { fontSize: '16px', lineHeight: '1.35' },
      h3: { fontSize: '13.5px', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '5px', md: '7px', lg: '10px', xl: '14px' },
  cursorType: 'pointer',
  components: {
    Text: { defaultProps: { size: 'sm' } },
    Button: { defaultProps: { size: 'sm' }, styles: { root: { fontWeight: 550 } } },
    TextInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm' } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
    Modal: {
      defaultProps: {
        centered: true,
        padding: 'lg',
        radius: 'lg',
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: { title: { fontSize: 16, fontWeight: 620 } },
    },
    Menu: { defaultProps: { shadow: 'md', position: 'bottom-end' } },
  },
});

/** The console's own palette, by purpose. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--rs-canvas': '#f6f7f7',
    '--rs-panel': '#ffffff',
    '--rs-line': '#e4e7e8',
    '--rs-hover': '#f2f4f4',
    '--rs-selected': '#e8f4f6',
    '--rs-muted': '#626c70',
    '--rs-accent': '#0b6e7f',
    '--rs-good': '#196b3a',
    '--rs-warn': '#8a5a00',
    '--rs-bad': '#b3261e',
  },
  dark: {
    '--mantine-color-body': '#181d1f',
    '--rs-canvas': '#111516',
    '--rs-panel': '#181d1f',
    '--rs-line': '#2a3135',
    '--rs-hover': '#1f2527',
    '--rs-selected': '#15343a',
    '--rs-muted': '#98a3a7',
    '--rs-accent': '#5cc0ce',
    '--rs-good': '#62c98d',
    '--rs-warn': '#e3b454',
    '--rs-bad': '#f2938a',
    '--mantine-color-petrol-light': 'rgb(92 192 206 / 15%)',
    '--mantine-color-petrol-light-hover': 'rgb(92 192 206 / 22%)',
    '--mantine-color-petrol-light-color': '#8fd6e0',
    '--mantine-color-gray-light': 'rgb(185 193 196 / 13%)',
    '--mantine-color-gray-light-color': '#c6cdcf',
    '--mantine-color-red-light': 'rgb(242 147 138 / 15%)',
    '--mantine-color-red-light-color': '#f2a49c',
  },
});
