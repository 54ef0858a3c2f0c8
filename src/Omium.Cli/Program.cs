using Omium.Cli.Commands;

return await RootCommands.RunAsync(args);
