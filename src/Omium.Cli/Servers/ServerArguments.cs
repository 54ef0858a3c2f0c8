using System.Globalization;

namespace Omium.Cli.Servers;

/// <summary>The command line cannot be understood; the message is for the person who typed it.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Arguments of the two servers: <c>--name value</c> pairs and plain values.</summary>
internal sealed class ServerArguments
{
    private readonly Dictionary<string, string> _options = new(StringComparer.Ordinal);

    /// <exception cref="UsageException">An option is unknown or has no value.</exception>
    public ServerArguments(string[] args, params string[] known)
    {
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
            {
                Plain.Add(args[i]);
                continue;
            }

            if (!known.Contains(args[i]))
            {
                throw new UsageException($"Unknown option {args[i]}; known are {string.Join(", ", known)}.");
            }

            _options[args[i]] = i + 1 < args.Length ? args[i + 1] : throw new UsageException($"{args[i]} needs a value.");
            i++;
        }
    }

    /// <summary>Values without a name.</summary>
    public List<string> Plain { get; } = [];

    public string? Text(string name) => _options.GetValueOrDefault(name);

    public string Required(string name) => Text(name) ?? throw new UsageException($"{name} is missing.");

    public int Integer(string name, int otherwise, int min, int max) => Text(name) switch
    {
        null => otherwise,
        var text when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max => value,
        var text => throw new UsageException($"{name} is '{text}'; expected an integer from {min} to {max}."),
    };

    public double Ratio(string name, double otherwise) => Text(name) switch
    {
        null => otherwise,
        var text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1 => value,
        var text => throw new UsageException($"{name} is '{text}'; expected a number from 0 to 1."),
    };
}
