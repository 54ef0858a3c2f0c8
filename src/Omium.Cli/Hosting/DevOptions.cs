namespace Omium.Cli.Hosting;

/// <summary>What <c>omium dev</c> is started with.</summary>
public sealed record DevOptions
{
    /// <summary>Port that <c>omium dev</c> listens on when none is given.</summary>
    public const int StandardPort = 7600;

    /// <summary>Where everything durable is kept. Default <c>./.omium/data</c>.</summary>
    public string DataDirectory { get; init; } = StandardDataDirectory;

    /// <summary>Port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; } = StandardPort;

    /// <summary>Also plays the scripted model and the receiver in this process, and saves the example workflows.</summary>
    public bool Demo { get; init; }

    /// <summary>Serves the console beside the API.</summary>
    public bool Console { get; init; } = true;

    /// <summary>The data directory where none is given, relative to the working directory.</summary>
    public static string StandardDataDirectory => Path.Combine(".omium", "data");
}
