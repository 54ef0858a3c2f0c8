using Azure.Core;

namespace Omium.Azure.Lifecycle;

/// <summary>A queue or topic of Azure Service Bus and how its sender shows who it is: with a token (a managed identity) or with a shared access key.</summary>
public sealed class ServiceBusTarget
{
    private ServiceBusTarget(Uri address, string entity)
    {
        if (string.IsNullOrEmpty(entity))
        {
            throw new ArgumentException("Name the queue or topic.", nameof(entity));
        }

        Messages = new Uri(new Uri(address.AbsoluteUri.TrimEnd('/') + "/"), $"{Uri.EscapeDataString(entity)}/messages");
        Entity = new Uri(Messages.AbsoluteUri[..^"/messages".Length]);
    }

    /// <summary>Where messages are posted.</summary>
    public Uri Messages { get; }

    internal Uri Entity { get; }

    internal TokenCredential? Credential { get; private init; }

    internal string KeyName { get; private init; } = "";

    internal string Key { get; private init; } = "";

    /// <summary>An entity reached with a token; the identity needs the role Azure Service Bus Data Sender.</summary>
    /// <param name="address">For example <c>https://NAME.servicebus.windows.net</c>.</param>
    /// <param name="entity">Name of the queue or topic.</param>
    /// <param name="credential">Who sends.</param>
    public static ServiceBusTarget WithToken(Uri address, string entity, TokenCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return new ServiceBusTarget(address, entity) { Credential = credential };
    }

    /// <summary>An entity reached with a shared access key that may send.</summary>
    public static ServiceBusTarget WithKey(Uri address, string entity, string keyName, string key) =>
        new(address, entity) { KeyName = keyName, Key = key };

    /// <summary>The entity that a connection string names, or <paramref name="entity"/> where it names none.</summary>
    /// <exception cref="FormatException">A part is missing; the message names it, never the key.</exception>
    public static ServiceBusTarget Parse(string connectionString, string? entity = null)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        var parts = connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2)).Where(part => part.Length == 2).ToDictionary(part => part[0], part => part[1], StringComparer.OrdinalIgnoreCase);
        string Part(string name) => parts.GetValueOrDefault(name) ?? throw new FormatException($"The Service Bus connection string has no {name}.");
        var endpoint = new Uri(Part("Endpoint"));
        return WithKey(
            endpoint.Scheme == "sb" ? new Uri($"https://{endpoint.Host}/") : endpoint,
            entity ?? Part("EntityPath"), Part("SharedAccessKeyName"), Part("SharedAccessKey"));
    }
}
