using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Omium.Runtime.Effects;

/// <summary>
/// Reads options by their snake_case name: <c>section:name</c> of a configuration file, or <c>PREFIX_NAME</c> (the environment), which wins.
/// </summary>
public sealed class OptionReader(IConfiguration configuration, string section, string prefix)
{
    /// <summary>The trimmed text; null when it is absent or blank.</summary>
    public string? Text(string name)
    {
        var text = configuration[Variable(name)] ?? configuration[$"{section}:{name}"];
        return string.IsNullOrWhiteSpace(text) ? null : text.Trim();
    }

    /// <summary>true, false, 1 or 0.</summary>
    public bool Bool(string name, bool otherwise) => Text(name) switch
    {
        null => otherwise,
        "1" => true,
        "0" => false,
        var text when bool.TryParse(text, out var value) => value,
        var text => throw Bad(name, text, "true or false"),
    };

    /// <summary>An integer within bounds.</summary>
    public long Long(string name, long otherwise, long min, long max) => Text(name) switch
    {
        null => otherwise,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max => value,
        var text => throw Bad(name, text, $"an integer from {min} to {max}"),
    };

    /// <summary>Comma-separated, or an array in the configuration file.</summary>
    public IReadOnlyList<string> List(string name) =>
        Text(name) is { } text
            ? text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : [.. configuration.GetSection($"{section}:{name}").GetChildren().Select(child => child.Value).OfType<string>()];

    /// <summary>What a value that cannot be read is answered with: it names the option.</summary>
    public InvalidOperationException Bad(string name, string text, string expected) =>
        new($"{Variable(name)} (or {section}:{name}) is '{text}'; expected {expected}.");

    private string Variable(string name) => $"{prefix}_{name.ToUpperInvariant()}";
}
